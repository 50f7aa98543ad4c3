use super::field::{Kind, ValueType};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $text:literal, [$($fit:ident),*], $numeric:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name;

        impl Kind for $name {
            const NAME: &'static str = $text;
            const FITS: &'static [ValueType] = &[$(ValueType::$fit),*];
            const NUMERIC: bool = $numeric;
        }
    )*};
}

kinds! {
    /// A code, a number of a document, a name.
    Text: "a text", [Text, MoneyText], false;
    /// A description for people; cut when it is too long to keep.
    Prose: "a text", [Text], false;
    /// Negative on credit notes where the source writes them so.
    Quantity: "a quantity", [Decimal], true;
    /// A rate, a percent, a price basis: never turned on a credit note.
    Number: "a number", [Decimal, Integer], true;
    Price: "a price", [Decimal, MinorUnits, MoneyObject, MoneyText], true;
    Amount: "an amount", [Decimal, MinorUnits, MoneyObject, MoneyText], true;
    Day: "a date", [Date, Instant, EpochMs, EpochS], false;
    Moment: "an instant", [Instant, EpochMs, EpochS], false;
    Flag: "a yes or no", [Boolean], false;
    Count: "a whole number", [Integer], true;
}
