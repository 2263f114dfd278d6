//! Macros that define a document together with the function that builds it.

/// Defines documents, each with a function that builds it. A field has its name, its type and its value in one place. With `=?`
/// instead of `=`, the field is absent if its value is `None`. `$none` never matches: it only ties the attribute to the `?`.
macro_rules! define_documents {
    ($(
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident $(<$life:lifetime>)? ($($source:tt)*) {
            $(
                $(#[$field_attribute:meta])*
                $field:ident: $type:ty = $(? $($none:lifetime)?)? $value:expr,
            )+
        }
    )+) => {$(
        #[derive(Debug, serde::Serialize, schemars::JsonSchema)]
        $(#[$attribute])*
        $visible struct $name $(<$life>)? {
            $(
                $(#[$field_attribute])*
                $(#[serde(skip_serializing_if = "Option::is_none")] $($none)?)?
                $field: $type,
            )+
        }

        impl $(<$life>)? $name $(<$life>)? {
            /// Builds the document.
            $visible fn new($($source)*) -> Self {
                Self { $($field: $value,)+ }
            }
        }
    )+};
}

/// Defines a document with variants. Each variant is written as the pattern that its source
/// matches, its name, and its fields as in [`define_documents!`], but without `=?`.
macro_rules! define_variants {
    (
        $(#[$attribute:meta])*
        $visible:vis enum $name:ident($source:ty) {
            $(
                $(#[$variant_attribute:meta])*
                $pattern:pat => $variant:ident
                $(($inner:ty = $inner_value:expr))?
                $({ $($(#[$field_attribute:meta])* $field:ident: $type:ty = $value:expr,)+ })?,
            )+
        }
    ) => {
        #[derive(Debug, serde::Serialize, schemars::JsonSchema)]
        $(#[$attribute])*
        $visible enum $name {
            $(
                $(#[$variant_attribute])*
                $variant $(($inner))? $({ $($(#[$field_attribute])* $field: $type,)+ })?,
            )+
        }

        impl $name {
            /// Builds the document.
            $visible fn new(source: $source) -> Self {
                match source {
                    $($pattern => Self::$variant $(($inner_value))? $({ $($field: $value,)+ })?,)+
                }
            }
        }
    };
}
