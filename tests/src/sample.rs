//! A part of what could be tried, another one each time; `make sweep` tries everything.

use std::fs::File;
use std::io::Read as _;

/// Every so manyth of these, beginning with one that the seed `MOORLINE_SAMPLE_SEED` picks.
///
/// `MOORLINE_SAMPLE_EVERY` overrides the interval; 1 takes everything.
///
/// # Panics
/// When one of the two variables is no number, or the interval is 0.
#[expect(clippy::print_stderr, reason = "shown with a test that failed")]
pub fn sample<T>(all: Vec<T>, every: usize) -> Vec<T> {
    let every = named("MOORLINE_SAMPLE_EVERY").map_or(every, |named| named.try_into().expect("an interval"));
    let first = usize::try_from(seed("MOORLINE_SAMPLE_SEED") % every as u64).expect("less than the interval");
    let of = all.len();
    let chosen: Vec<T> = all.into_iter().skip(first).step_by(every).collect();
    eprintln!("{} of {of}, MOORLINE_SAMPLE_EVERY={every}", chosen.len());
    chosen
}

/// The seed that this variable names, or a new one, which is printed for whoever looks into a failure.
///
/// # Panics
/// When the variable is no number.
#[expect(clippy::print_stderr, reason = "shown with a test that failed")]
pub fn seed(variable: &str) -> u64 {
    named(variable).unwrap_or_else(|| {
        let mut bytes = [0; 4];
        let random = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
        random.expect("the system has random bytes");
        let seed = u64::from(u32::from_le_bytes(bytes));
        eprintln!("{variable}={seed}");
        seed
    })
}

fn named(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_takes_its_share_and_misses_nothing_in_turn() {
        for _ in 0..20 {
            let chosen = sample((0..100).collect(), 10);
            assert_eq!(chosen.len(), 10, "a tenth");
            assert!(chosen.windows(2).all(|pair| pair[1] - pair[0] == 10), "evenly: {chosen:?}");
        }
    }
}
