//! What is known of each type's layout, and the checks that hold it to that at compile time.

/// A member of a type of this crate, for tests and tools.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct FieldLayout {
    /// The member, as a path from the type: unnamed C members are spelled `Anonymous`.
    pub path: &'static str,
    /// Bytes from the start of the type.
    pub offset: usize,
    /// Bytes that the member takes.
    pub size: usize,
}

/// A type of this crate, for tests and tools.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct TypeLayout {
    /// The type's name.
    pub name: &'static str,
    /// Bytes that a value takes.
    pub size: usize,
    /// Members, those of inline C structures and unions included.
    pub fields: &'static [FieldLayout],
}

/// The size of the member that `_projection` leads to.
pub(crate) const fn size_of_target<T, F>(_projection: fn(*const T) -> *const F) -> usize {
    size_of::<F>()
}

/// Asserts the size of types and the offset of members at compile time, gives each type its
/// `ZERO`, and lists them all in the module's `LAYOUTS`.
///
/// A type belongs here only if the value whose bytes are all zero is one of its values: integers,
/// raw pointers, `Option`s of function pointers, and types made of these.
macro_rules! layouts {
    ($($ty:ident = $size:literal { $($($path:ident).+: $offset:literal,)* })*) => {
        $(
            const _: () = assert!(size_of::<$ty>() == $size, stringify!($ty));
            $(const _: () = assert!(
                core::mem::offset_of!($ty, $($path).+) == $offset,
                concat!(stringify!($ty) $(, ".", stringify!($path))+)
            );)*

            impl $ty {
                /// The value whose bytes are all zero: NULL pointers, empty flags, zero counts.
                // SAFETY: the type is made of integers, raw pointers and optional function
                // pointers, for each of which all-zero bytes are a valid value.
                pub const ZERO: Self = unsafe { core::mem::zeroed() };
            }
        )*

        /// The layouts of the module's types.
        #[doc(hidden)]
        pub const LAYOUTS: &[$crate::layout::TypeLayout] = &[$($crate::layout::TypeLayout {
            name: stringify!($ty),
            size: size_of::<$ty>(),
            fields: &[$($crate::layout::FieldLayout {
                path: concat!("" $(, ".", stringify!($path))+),
                offset: core::mem::offset_of!($ty, $($path).+),
                size: $crate::layout::size_of_target(|base: *const $ty| {
                    // SAFETY: only the address of the member is formed, in a function that is
                    // never called: its type alone is looked at.
                    unsafe { &raw const (*base).$($path).+ }
                }),
            },)*],
        },)*];
    };
}

/// `Debug` for unions, whose valid member is known to nobody but their user.
macro_rules! opaque_debug {
    ($($ty:ident,)+) => {
        $(impl core::fmt::Debug for $ty {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($ty)).finish_non_exhaustive()
            }
        })+
    };
}
