//! The order of the units, decided once, when the job is created.
//!
//! Values that are all numbers are sorted as numbers, exactly, whatever their length; values of which none is a number by their
//! bytes. A mixture is refused: every order of it would be a guess. Equal ones keep the order of the source.

use crate::handler::{Template, TemplateError, TemplatePart, UnitValues};
use crate::model::{RawText, Seq};
use crate::source::{Item, Items, Place, SourceError};
use crate::store::{Sorter, StoreError};

/// A template whose values decide the order.
#[derive(Debug, Clone)]
pub struct Order {
    template: Template,
    descending: bool,
}

/// A text that is no order.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderTextError {
    /// It is no template.
    #[error(transparent)]
    Template(Box<TemplateError>),
    /// It is the same for all units.
    #[error("invalid order {given:?}, expected e.g. {{size}}, or -{{size}} for the largest first")]
    Literal {
        /// What was written.
        given: String,
    },
}

/// An item that has no place in the order.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// It has no value there.
    #[error("cannot use it for the order")]
    Value(#[from] TemplateError),
    /// Some values are numbers, and others are not.
    #[error(
        "{given:?} is {}, {other:?} at {place} is {}: to sort all of them as text, put a letter before the placeholder",
        kind(*is_number), kind(!*is_number)
    )]
    Mixed {
        /// Its value.
        given: String,
        /// Whether that is a number.
        is_number: bool,
        /// The value of another item, of the other sort.
        other: String,
        /// Where that came from.
        place: String,
    },
    /// The items cannot be sorted.
    #[error("cannot sort the items")]
    Store(#[from] StoreError),
}

fn kind(is_number: bool) -> &'static str {
    if is_number { "a number" } else { "not a number" }
}

/// The value that decides what the others have to be.
struct First {
    text: String,
    place: String,
    is_number: bool,
}

impl Order {
    /// Reads `{size}`, or `-{size}` for the largest first.
    pub fn parse(text: &str) -> Result<Self, OrderTextError> {
        let (descending, template) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let template =
            Template::parse(&RawText::from(template)).map_err(|error| OrderTextError::Template(error.into()))?;
        template.refuse_slot(TemplatePart::Order).map_err(|error| OrderTextError::Template(error.into()))?;
        if template.is_literal() {
            return Err(OrderTextError::Literal { given: text.to_owned() });
        }
        Ok(Self { template, descending })
    }

    /// Returns the items in order; they are all read when the first one is asked for.
    pub fn sort(self, items: Items) -> Items {
        let mut waiting = Some((self, items));
        let mut sorted: Items = Box::new(std::iter::empty());
        Box::new(std::iter::from_fn(move || {
            if let Some((order, items)) = waiting.take() {
                match order.sort_now(items) {
                    Ok(all) => sorted = all,
                    Err(error) => return Some(Err(error)),
                }
            }
            sorted.next()
        }))
    }

    fn sort_now(self, items: Items) -> Result<Items, SourceError> {
        let whole = |error: StoreError| refused(Place::Command, error.into());
        let mut sorter = Sorter::new().map_err(whole)?;
        let mut first = None;
        for (item, seq) in items.zip(1..) {
            let Item { payload, place } = item?;
            match self.put(&mut sorter, &mut first, &payload, &place, Seq(seq)) {
                Ok(()) => {}
                Err(error) => return Err(refused(place, error)),
            }
        }
        let rows = sorter.sorted(self.descending).map_err(whole)?;
        Ok(Box::new(rows.map(move |row| match row {
            Ok((payload, place)) => Ok(Item { payload, place: Place::Told(place.into()) }),
            Err(error) => Err(refused(Place::Command, error.into())),
        })))
    }

    fn put(
        &self,
        sorter: &mut Sorter,
        first: &mut Option<First>,
        payload: &str,
        place: &Place,
        seq: Seq,
    ) -> Result<(), OrderError> {
        let value = self.template.render(&UnitValues::parse(payload)?, 0, seq)?;
        let text = value.to_string_lossy().into_owned();
        let place = place.to_string();
        let number = value.as_str().and_then(number_key);
        let is_number = number.is_some();
        let key = number.unwrap_or_else(|| value.as_bytes().to_owned());
        let known = first.get_or_insert_with(|| First { text: text.clone(), place: place.clone(), is_number });
        if known.is_number != is_number {
            let (other, place) = (known.text.clone(), known.place.clone());
            return Err(OrderError::Mixed { given: text, is_number, other, place });
        }
        Ok(sorter.put(&key, payload, &place)?)
    }
}

fn refused(place: Place, error: OrderError) -> SourceError {
    SourceError::Unfit { place, source: error.into() }
}

/// Returns bytes that are in the same order as the numbers; none when the text is no decimal number, as JSON has them, plus
/// leading zeros and a plus sign as CSV has them.
fn number_key(text: &str) -> Option<Vec<u8>> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) || mantissa.ends_with('.') {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some(vec![1]);
    }
    // The number is 0.DIGITS times ten to the power of this.
    let leading = i64::try_from(digits.len() - significant.len()).ok()?;
    let power = i64::try_from(whole.len()).ok()? - leading + i64::from(exponent);
    let mut key = vec![2];
    // The sign bit turned over: bytes have none.
    key.extend((power ^ i64::MIN).to_be_bytes());
    key.extend(significant.trim_end_matches('0').bytes());
    if negative {
        // Of two negative numbers the larger amount comes first; the end stands after all digits then.
        key.iter_mut().skip(1).for_each(|byte| *byte = !*byte);
        key[0] = 0;
        key.push(u8::MAX);
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str, payloads: &[&str]) -> Result<Vec<String>, String> {
        let items = payloads.iter().map(|payload| (*payload).to_owned()).collect::<Vec<_>>();
        let items: Items =
            Box::new(items.into_iter().zip(1..).map(|(payload, n)| Ok(Item { payload, place: Place::Argument(n) })));
        let text_of = |error: SourceError| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            format!("{error}: {cause}")
        };
        Order::parse(text)
            .map_err(|error| error.to_string())?
            .sort(items)
            .map(|item| item.map(|item| item.payload).map_err(text_of))
            .collect()
    }

    #[test]
    fn numbers_are_sorted_as_numbers_of_any_length() {
        let ascending = [
            "-123456789012345678901234567890.5",
            "-1e20",
            "-10.5",
            "-10",
            "-9",
            "-1",
            "-0.1",
            "-0.09",
            "0",
            "1e-400",
            "0.09",
            "0.1",
            "1",
            "1.05",
            "1.5",
            "2",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e20",
            "123456789012345678901234567890",
        ];

        for pair in ascending.windows(2) {
            assert!(number_key(pair[0]) < number_key(pair[1]), "{pair:?}");
        }
        for (one, same) in [("1", "1.0"), ("0", "-0"), ("0010", "1e1"), ("+5", "5.00"), ("1.20E3", "1200")] {
            assert_eq!(number_key(one), number_key(same), "{one} {same}");
        }
        for text in
            ["", "-", "x", "1x", ".", "1.", ".5", "1e", "0x10", " 1", "1e99999999999", "--1", "1-2", "inf", "NaN"]
        {
            assert_eq!(number_key(text), None, "{text:?}");
        }
    }

    #[test]
    fn items_are_sorted_once_and_equal_ones_keep_their_order() {
        let sizes = [r#"{"s":10,"n":"a"}"#, r#"{"s":"9","n":"b"}"#, r#"{"s":10.0,"n":"c"}"#];

        assert_eq!(order("{s}", &sizes).unwrap(), [sizes[1], sizes[0], sizes[2]]);
        assert_eq!(order("-{s}", &sizes).unwrap(), [sizes[0], sizes[2], sizes[1]]);
        assert_eq!(order("-{#}", &sizes).unwrap(), [sizes[2], sizes[1], sizes[0]]);
        assert_eq!(order("{}", &[r#""b""#, r#""a""#, r#""B""#]).unwrap(), [r#""B""#, r#""a""#, r#""b""#]);
        assert_eq!(order("{}", &[]).unwrap(), [""; 0]);
    }

    #[test]
    fn a_mixture_is_refused_with_both_places() {
        let message = order("{}", &["10", r#""n/a""#]).unwrap_err();

        assert!(message.starts_with("argument 2: "), "{message}");
        assert!(message.contains(r#""n/a" is not a number, "10" at argument 1 is a number"#), "{message}");
        assert_eq!(order("x{}", &["10", r#""n/a""#, "9"]).unwrap(), ["10", "9", r#""n/a""#]);
    }

    #[test]
    fn an_item_without_the_field_and_an_order_by_nothing_are_refused() {
        assert!(order("{s}", &[r#"{"s":1}"#, r#"{"t":1}"#]).unwrap_err().starts_with("argument 2: "));
        assert!(order("size", &["1"]).is_err());
        let slot = Order::parse("-{%}").unwrap_err();
        let cause = std::error::Error::source(&slot).map_or_else(|| slot.to_string(), ToString::to_string);
        assert_eq!(cause, "{%} cannot be part of the order: it is known only when the unit runs");
    }

    #[test]
    fn nothing_is_read_before_the_first_item_is_asked_for() {
        let unreadable: Items = Box::new(std::iter::from_fn(|| panic!("it was read")));

        drop(Order::parse("{}").unwrap().sort(unreadable));
    }

    proptest::proptest! {
        #[test]
        fn keys_are_in_the_order_of_their_numbers(one in -1e12..1e12, other in -1e12..1e12) {
            let (one, other): (f64, f64) = (one, other);
            let key = |number: f64| number_key(&number.to_string()).unwrap();
            proptest::prop_assert_eq!(one.partial_cmp(&other).unwrap(), key(one).cmp(&key(other)));
        }
    }
}
