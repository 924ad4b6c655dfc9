//! Panics as values: caught with their message and place, so that one unit cannot take the batch down.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use tracing::error;

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes every panic write one line to the log and remember where it happened.
pub(super) fn install_hook() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        error!("panic at {}: {}", remember(panic), text(panic.payload()));
    }));
}

/// Makes every panic remember where it happened, besides what it does already; called again it does nothing.
pub(super) fn extend_hook() {
    static EXTENDED: Once = Once::new();
    EXTENDED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            remember(panic);
            before(panic);
        }));
    });
}

fn remember(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    // The slot is gone while its thread ends; what the hook prints is then all there is.
    let _ = PLACE.try_with(|slot| slot.replace(Some(place.clone())));
    place
}

/// Runs `body`; a panic in it becomes its message and place.
pub(super) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    // Whatever a panic left half done belongs to `body` and is not looked at again.
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        let place = PLACE.with(RefCell::take).unwrap_or_else(|| "an unknown place".to_owned());
        let message = format!("{} (at {place})", text(&*payload));
        // Its destructor is foreign code and may itself panic, which nobody would catch.
        std::mem::forget(payload);
        message
    })
}

fn text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    #[test]
    fn fault_38_every_kind_of_panic_becomes_a_message() {
        let number = 7;

        let fixed = catch(|| panic!("fixed")).unwrap_err();
        let formatted = catch(|| panic!("number {number}")).unwrap_err();
        let other = catch(|| std::panic::panic_any(7)).unwrap_err();
        let nasty = catch(|| std::panic::panic_any(PanicsWhenDropped)).unwrap_err();

        assert!(fixed.starts_with("fixed (at "));
        assert!(formatted.starts_with("number 7 (at "));
        assert!(other.starts_with("a panic without a message"));
        assert!(nasty.starts_with("a panic without a message"));
    }

    #[test]
    fn fault_38_a_panic_in_a_destructor_is_caught() {
        let caught = catch(|| drop(PanicsWhenDropped)).unwrap_err();

        assert!(caught.starts_with("in drop"));
    }
}
