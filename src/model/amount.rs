//! An amount that a meter counts: a decimal that is not negative, as a whole number of millionths.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// Digits after the point.
const PLACES: i32 = 6;
const ONE: i64 = 1_000_000;

/// An amount of money, tokens or whatever a meter counts, in millionths; never negative. JSON has it as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "f64")]
pub struct Amount(i64);

/// A number that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// It is not written as a decimal.
    #[error("invalid amount {given:?}, expected a decimal such as 0.12")]
    NotDecimal {
        /// The text.
        given: String,
    },
    /// It is below zero.
    #[error("the amount {given} is negative: nothing is given back")]
    Negative {
        /// The text.
        given: String,
    },
    /// It is more than can be counted.
    #[error("the amount {given} is too large: at most {} can be counted", Amount::MAX)]
    TooLarge {
        /// The text.
        given: String,
    },
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest one: the most whole units of which the millionths can be counted.
    pub const MAX: Amount = Amount(i64::MAX / ONE * ONE);

    /// Makes an amount of so many millionths; `None` when they are negative.
    pub const fn from_millionths(millionths: i64) -> Option<Amount> {
        if millionths < 0 { None } else { Some(Amount(millionths)) }
    }

    /// Returns how many millionths it is.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// Returns the sum, if that can be counted.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// Returns the sum, or the most that can be counted.
    #[must_use]
    pub fn saturating_add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }

    /// Returns the difference, nothing where that is negative.
    #[must_use]
    pub fn saturating_sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0).max(0))
    }

    /// Returns it as a number for people and programs; a large one loses its last digits.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// Returns it rounded to two digits that matter, for what is only known about.
    #[must_use]
    pub fn about(self) -> Amount {
        let digits = self.0.checked_ilog10().unwrap_or(0);
        // From a tenth on, hundredths are enough.
        let step = 10_i64.pow(digits.saturating_sub(1).min(PLACES.unsigned_abs() - 2));
        Amount(self.0.saturating_add(step / 2) / step * step)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads a decimal as JSON writes one, such as `0.12` or `1.8e3`. Digits behind the millionths are rounded, but what is not zero is a
    /// millionth at least: it was billed.
    fn from_str(text: &str) -> Result<Amount, AmountError> {
        let given = || text.to_owned();
        let wrong = || AmountError::NotDecimal { given: given() };
        let (is_negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_complete = !whole.is_empty() && (mantissa.contains('.') != fraction.is_empty());
        if !is_complete || !are_digits(whole) || !are_digits(fraction) {
            return Err(wrong());
        }
        let exponent: i32 = exponent.parse().map_err(|_| wrong())?;
        let digits = [whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Amount::ZERO);
        }
        if is_negative {
            return Err(AmountError::Negative { given: given() });
        }
        let too_large = || AmountError::TooLarge { given: given() };
        // The point lies so many digits before the end of the millionths.
        let places = i64::from(exponent) + i64::from(PLACES) - i64::try_from(fraction.len()).map_err(|_| wrong())?;
        let kept = i64::try_from(digits.len()).map_err(|_| wrong())? + places;
        if kept > 19 {
            return Err(too_large());
        }
        let millionths = if places >= 0 {
            let zeros = usize::try_from(places).map_err(|_| too_large())?;
            format!("{digits}{}", "0".repeat(zeros)).parse::<i64>().map_err(|_| too_large())?
        } else {
            match usize::try_from(kept) {
                // There is a digit in it that is not zero.
                Err(_) | Ok(0) => 1,
                Ok(kept) => {
                    let whole = digits[..kept].parse::<i64>().map_err(|_| too_large())?;
                    whole.checked_add(i64::from(digits.as_bytes()[kept] >= b'5')).ok_or_else(too_large)?
                }
            }
        };
        Some(Amount(millionths)).filter(|amount| *amount <= Amount::MAX).ok_or_else(too_large)
    }
}

impl TryFrom<f64> for Amount {
    type Error = AmountError;

    fn try_from(number: f64) -> Result<Amount, AmountError> {
        if number.is_finite() {
            number.to_string().parse()
        } else {
            Err(AmountError::NotDecimal { given: number.to_string() })
        }
    }
}

impl TryFrom<u64> for Amount {
    type Error = AmountError;

    fn try_from(number: u64) -> Result<Amount, AmountError> {
        number.to_string().parse()
    }
}

impl TryFrom<i32> for Amount {
    type Error = AmountError;

    fn try_from(number: i32) -> Result<Amount, AmountError> {
        number.to_string().parse()
    }
}

impl From<Infallible> for AmountError {
    fn from(never: Infallible) -> AmountError {
        match never {}
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % ONE == 0 { serializer.serialize_i64(self.0 / ONE) } else { serializer.serialize_f64(self.as_f64()) }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / ONE, self.0 % ONE);
        if part == 0 {
            return f.pad_integral(true, "", &whole.to_string());
        }
        let digits = format!("{part:06}");
        let shown = digits.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", &digits[..shown])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_kept_to_its_millionth() {
        for (text, millionths, shown) in [
            ("0", 0, "0"),
            ("-0", 0, "0"),
            ("12.4", 12_400_000, "12.40"),
            ("0.42", 420_000, "0.42"),
            ("1800", 1_800_000_000, "1800"),
            ("1.8e3", 1_800_000_000, "1800"),
            ("25E-2", 250_000, "0.25"),
            ("0.0000014", 1, "0.000001"),
            ("0.0000005", 1, "0.000001"),
            ("0.00000049", 1, "0.000001"),
            ("5e-7", 1, "0.000001"),
            ("5e-8", 1, "0.000001"),
            ("9e-300", 1, "0.000001"),
            ("0.0000024999", 2, "0.000002"),
            ("0.30000000000000004", 300_000, "0.30"),
            ("0e999999", 0, "0"),
            ("1000000000.000001", 1_000_000_000_000_001, "1000000000.000001"),
            ("1e10", 10_000_000_000_000_000, "10000000000"),
            ("9223372036854", Amount::MAX.millionths(), "9223372036854"),
        ] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!((amount.millionths(), amount.to_string().as_str()), (millionths, shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_by_its_fault() {
        for text in ["", "NaN", "inf", "1.", ".5", "+1", "1,5", "1e", "0x1", "1 ", "--1", "1e99999999999"] {
            assert!(matches!(text.parse::<Amount>(), Err(AmountError::NotDecimal { .. })), "{text}");
        }
        assert!(matches!("-0.01".parse::<Amount>(), Err(AmountError::Negative { .. })));
        for text in
            ["9223372036854.000001", "9223372036854775807", "1e13", "99999999999999999999999", "1e300", "1e2000000000"]
        {
            assert!(matches!(text.parse::<Amount>(), Err(AmountError::TooLarge { .. })), "{text}");
        }
        assert!(Amount::try_from(f64::NAN).is_err() && Amount::try_from(f64::INFINITY).is_err());
        assert!(Amount::try_from(-1).is_err() && Amount::try_from(-0.5).is_err());
        assert_eq!(Amount::try_from(0.1).map(Amount::millionths), Ok(100_000));
    }

    #[test]
    fn what_is_only_known_about_is_shown_with_two_digits_that_matter() {
        for (text, shown) in [("0.4217", "0.42"), ("0.0042171", "0.0042"), ("12.3456", "12.35"), ("1801", "1801")] {
            assert_eq!(text.parse::<Amount>().unwrap().about().to_string(), shown, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_an_amount_panic(text in r"[-+.eE0-9]{0,24}|\PC{0,4}") {
            if let Ok(amount) = text.parse::<Amount>() {
                proptest::prop_assert_eq!(amount.to_string().parse::<Amount>().unwrap(), amount);
                let _ = amount.about();
            }
        }
    }
}
