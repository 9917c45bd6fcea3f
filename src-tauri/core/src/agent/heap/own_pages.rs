//! An allocator that gives blocks of a middling size pages of their own.

#![expect(unsafe_code, reason = "an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, but for blocks of 17 to 31 KiB, which are mappings of their own and go back when they are
/// freed: a queue of russh's is one of 18 KiB, its task one of 30. What is carried comes in blocks of just over 16 KiB
/// (a TLS record, a WebSocket message) or of powers of two, which come and go too often for that; those and larger
/// ones are in the C library's care.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heap;

// SAFETY: a block is a mapping of its own or the system's, and its layout alone says which, so that it goes back to
// where it came from.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if has_own_pages(&layout) {
            return pages::map(layout.size());
        }
        // SAFETY: the caller's promise is passed on, here and below.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if has_own_pages(&layout) {
            // The kernel gives nothing but zeros.
            return pages::map(layout.size());
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if has_own_pages(&layout) {
            // SAFETY: it was mapped with this size, and nobody uses it any more.
            return unsafe { pages::unmap(block, layout.size()) };
        }
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `size` is not zero and makes a layout.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if !has_own_pages(&layout) && !has_own_pages(&wanted) {
            // SAFETY: as above.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: both blocks are at least as long as what is copied, and they are different ones.
        unsafe {
            let new = self.alloc(wanted);
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

/// Whether a block is of the middling size that gets pages of its own.
fn has_own_pages(layout: &Layout) -> bool {
    (SMALLEST..=LARGEST).contains(&layout.size()) && layout.align() <= PAGE
}

/// In bytes, both.
const SMALLEST: usize = 17 * 1024;
const LARGEST: usize = 31 * 1024;

/// No system has smaller pages.
const PAGE: usize = 4096;

/// mmap(2).
mod pages {
    /// A block of zeros; null if there is no memory.
    pub(super) fn map(size: usize) -> *mut u8 {
        let (protection, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that is there.
        let block = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, kind, -1, 0) };
        if block == libc::MAP_FAILED {
            return std::ptr::null_mut();
        }
        // The kernel joins neighbours, and would put a huge page under many of them at the first touch. One without
        // huge pages refuses, which is as good.
        // SAFETY: the mapping is ours.
        unsafe { libc::madvise(block, size, libc::MADV_NOHUGEPAGE) };
        block.cast()
    }

    /// # Safety
    /// `block` comes from [`map`] with this size and is not used any more.
    pub(super) unsafe fn unmap(block: *mut u8, size: usize) {
        // SAFETY: the caller's promise. A failure leaks the block.
        unsafe { libc::munmap(block.cast(), size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 9] =
        [1, 4096, SMALLEST - 1, SMALLEST, 18_128, 30_100, LARGEST, LARGEST + 1, 300_000];

    /// Whether each byte is its place's.
    fn holds(block: *const u8, size: usize) -> bool {
        // SAFETY: the tests pass blocks that are so long, and filled.
        let bytes = unsafe { std::slice::from_raw_parts(block, size) };
        bytes.iter().enumerate().all(|(place, byte)| *byte == place.to_le_bytes()[0])
    }

    fn fill(block: *mut u8, size: usize) {
        for place in 0..size {
            // SAFETY: within the block.
            unsafe { block.add(place).write(place.to_le_bytes()[0]) };
        }
    }

    #[test]
    fn blocks_of_all_sizes_hold_what_they_are_given() {
        for align in [1, 8, 64, PAGE, 2 * PAGE] {
            let blocks: Vec<_> = SIZES
                .iter()
                .map(|size| {
                    let layout = Layout::from_size_align(*size, align).unwrap();
                    // SAFETY: the size is not zero.
                    let block = unsafe { Heap.alloc(layout) };
                    assert!(!block.is_null() && block.addr() % align == 0, "{layout:?}");
                    fill(block, *size);
                    (block, layout)
                })
                .collect();
            for (block, layout) in blocks {
                assert!(holds(block, layout.size()), "{layout:?}");
                // SAFETY: it is freed once, as it was allocated.
                unsafe { Heap.dealloc(block, layout) };
            }
        }
    }

    #[test]
    fn blocks_grow_and_shrink_from_any_size_to_any() {
        for from in SIZES {
            for to in SIZES {
                let layout = Layout::from_size_align(from, 8).unwrap();
                // SAFETY: sizes are not zero, and each block is used with the layout that it has at the time.
                unsafe {
                    let block = Heap.alloc(layout);
                    fill(block, from);
                    let block = Heap.realloc(block, layout, to);
                    assert!(!block.is_null() && holds(block, from.min(to)), "{from} to {to}");
                    Heap.dealloc(block, Layout::from_size_align(to, 8).unwrap());
                }
            }
        }
    }

    #[test]
    fn zeros_are_zeros_however_often_a_place_was_used() {
        for size in SIZES {
            let layout = Layout::from_size_align(size, 8).unwrap();
            for _ in 0..20 {
                // SAFETY: the size is not zero, and the block is freed once.
                unsafe {
                    let block = Heap.alloc_zeroed(layout);
                    assert!((0..size).all(|place| block.add(place).read() == 0), "{size}");
                    fill(block, size);
                    Heap.dealloc(block, layout);
                }
            }
        }
    }

    #[test]
    fn room_that_is_not_used_takes_no_memory() {
        // SAFETY: sysconf(3) takes a number.
        if unsafe { libc::sysconf(libc::_SC_PAGESIZE) } != 4096 {
            return;
        }
        let layout = Layout::from_size_align(18_128, 8).unwrap();
        for round in 0..50 {
            let mut resident = [0_u8; 5];
            // SAFETY: five pages hold the block, and mincore(2) says a byte of each.
            unsafe {
                let block = Heap.alloc(layout);
                block.add(5000).write(1);
                assert_eq!(libc::mincore(block.cast(), layout.size(), resident.as_mut_ptr().cast()), 0);
                fill(block, layout.size());
                Heap.dealloc(block, layout);
            }
            assert_eq!(resident.map(|page| page & 1), [0, 1, 0, 0, 0], "round {round}");
        }
    }
}
