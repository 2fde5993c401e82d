//! Counting passed and failed tests in what `cargo test` prints.

use std::fmt;
use std::ops::AddAssign;

/// Tests and checks that ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// One check.
    pub(crate) fn one(passed: bool) -> Self {
        if passed {
            Self {
                passed: 1,
                failed: 0,
            }
        } else {
            Self {
                passed: 0,
                failed: 1,
            }
        }
    }

    /// Sums the result line of every test binary and doc-test run in the output of `cargo test`.
    pub(crate) fn of_cargo_test(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines() {
            if let Some(counts) = result_line(line) {
                sum += counts;
            }
        }
        sum
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// A line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
fn result_line(line: &str) -> Option<Counts> {
    let (_, numbers) = line
        .trim()
        .strip_prefix("test result: ")?
        .split_once(". ")?;
    let number = |word: &str| {
        numbers
            .split("; ")
            .find_map(|part| part.strip_suffix(word)?.trim().parse().ok())
    };
    Some(Counts {
        passed: number(" passed")?,
        failed: number(" failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_line_is_summed() {
        let output = "\
running 3 tests
test a ... ok
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/b.rs
test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s
   Doc-tests c
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        assert_eq!(
            Counts::of_cargo_test(output),
            Counts {
                passed: 13,
                failed: 2
            }
        );
    }

    #[test]
    fn other_lines_count_for_nothing() {
        for output in [
            "",
            "test result: nonsense",
            "7 passed; 1 failed",
            "test result: ok. x",
        ] {
            assert_eq!(Counts::of_cargo_test(output), Counts::default(), "{output}");
        }
    }

    #[test]
    fn the_count_line_is_plain() {
        assert_eq!(
            Counts {
                passed: 12,
                failed: 0
            }
            .to_string(),
            "12 passed, 0 failed"
        );
    }

    #[test]
    fn one_check_counts_on_one_side() {
        let mut sum = Counts::one(true);
        sum += Counts::one(false);
        sum += Counts::one(true);
        assert_eq!(
            sum,
            Counts {
                passed: 2,
                failed: 1
            }
        );
    }
}
