//! Enums whose values have names, in the manifest or in machine-readable output.

/// Defines an enum, with the name of each value beside it.
macro_rules! named_enum {
    (
        $(#[$attribute:meta])*
        $visible:vis enum $name:ident {
            $($(#[$value_attribute:meta])* $value:ident = $text:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visible enum $name {
            $($(#[$value_attribute])* $value,)+
        }

        impl $name {
            /// All values, in the order of their definition.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$value),+];

            /// Returns the value's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)+
                }
            }

            /// Returns the value with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.name() == name)
            }
        }
    };
}
pub(crate) use named_enum;
