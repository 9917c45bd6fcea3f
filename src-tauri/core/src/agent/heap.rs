//! Where a waiting program's memory comes from.
//!
//! A connection that is watched for hours is mostly queues with room that is never used. Room in pages that were
//! never touched costs nothing; room in memory that a key exchange used a moment ago costs all of it, for as long as
//! the connection stands. So programs that watch install `own_pages::Heap` as their allocator on Linux, share one
//! heap among their threads, and give back what is free now and then.

#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "the C library's settings have no safe wrapper")
)]

#[cfg(target_os = "linux")]
pub mod own_pages;

/// One heap for all threads: those that block do little, and what they free would be kept for each of them. To be
/// called before there are any. Does nothing where the C library is not GNU's.
pub fn share_one() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt(3) takes two numbers, and no other thread allocates yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives freed pages back to the system every 20 s, for ever. Does nothing where the C library is not GNU's.
pub async fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(20)).await;
        // SAFETY: malloc_trim(3) takes a number, and may be called at any time.
        unsafe {
            libc::malloc_trim(0);
        }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    std::future::pending().await
}
