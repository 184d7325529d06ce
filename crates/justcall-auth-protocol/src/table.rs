//! The one format of tables: a declaration of the columns, then one row for each variant of an enum.

/// Declares a table. Each row is written as `Variant { column: value, … }`; a row without one of the columns does not compile.
///
/// With `enum` the rows declare the enum itself: `ALL` lists the variants in the order of the rows, and each column is a
/// `const fn` of the enum's visibility. The columns `name`, `number`, `message` and `remedy` also document the variant.
/// A column that a program does not use leaves nothing in it.
///
/// ```
/// justcall_auth_protocol::table! {
///     /// The days without work.
///     pub enum Day {
///         /// The name of the day.
///         name: &'static str,
///         /// How many hours the shops are open.
///         hours: u8,
///     }
///
///     Saturday { name: "saturday", hours: 8 }
///     Sunday { name: "sunday", hours: 0 }
/// }
/// assert_eq!(Day::ALL, [Day::Saturday, Day::Sunday]);
/// assert_eq!((Day::Sunday.name(), Day::Saturday.hours()), ("sunday", 8));
/// ```
///
/// With `struct … of` the rows add columns to an enum that another table declares, and `of` returns the row of a variant.
/// The table does not compile unless each variant has exactly one row.
///
/// ```
/// # use justcall_auth_protocol::table;
/// # table! { enum Day { name: &'static str } Saturday { name: "saturday" } Sunday { name: "sunday" } }
/// table! {
///     struct Plan of Day { text: &'static str }
///
///     Saturday { text: "the market" }
///     Sunday { text: "nothing" }
/// }
/// assert_eq!(Plan::of(Day::Sunday).text, "nothing");
/// ```
///
/// A variant without a row, a variant with two rows, and a row without a column do not compile:
///
/// ```compile_fail
/// # use justcall_auth_protocol::table;
/// # table! { enum Day { name: &'static str } Saturday { name: "saturday" } Sunday { name: "sunday" } }
/// table! {
///     struct Plan of Day { text: &'static str }
///
///     Saturday { text: "the market" }
/// }
/// ```
/// ```compile_fail
/// # use justcall_auth_protocol::table;
/// # table! { enum Day { name: &'static str } Saturday { name: "saturday" } Sunday { name: "sunday" } }
/// table! {
///     struct Plan of Day { text: &'static str }
///
///     Saturday { text: "the market" }
///     Sunday { text: "nothing" }
///     Sunday { text: "rest" }
/// }
/// ```
/// ```compile_fail
/// # use justcall_auth_protocol::table;
/// # table! { enum Day { name: &'static str } Saturday { name: "saturday" } Sunday { name: "sunday" } }
/// table! {
///     struct Plan of Day { text: &'static str }
///
///     Saturday {}
///     Sunday { text: "nothing" }
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! table {
    ($(#[$meta:meta])* $visibility:vis enum $table:ident { $($columns:tt)* } $($rows:tt)*) => {
        $crate::table! { @enum $(#[$meta])* $visibility $table { $($columns)* } { $($rows)* } }
    };

    (
        $(#[$meta:meta])*
        $visibility:vis struct $table:ident of $enum:ident { $($(#[$about:meta])* $column:ident: $type:ty),* $(,)? }
        $($row:ident { $($value:tt)* })*
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $visibility struct $table { $($(#[$about])* $visibility $column: $type),* }

        impl $table {
            /// Returns the row of `variant`.
            $visibility const fn of(variant: $enum) -> &'static Self {
                #[allow(unreachable_patterns, reason = "of another crate's enum the compiler does not know every variant")]
                match variant {
                    $($enum::$row => &Self { $($value)* },)*
                    _ => panic!("a variant has no row"),
                }
            }
        }

        const _: () = {
            assert!([$($enum::$row),*].len() == $enum::ALL.len(), "a variant has no row, or has two");
            let mut index = 0;
            while index < $enum::ALL.len() {
                $table::of($enum::ALL[index]);
                index += 1;
            }
        };
    };

    (
        @enum $(#[$meta:meta])* $visibility:vis $table:ident
        { $($(#[$about:meta])* $column:ident: $type:ty),* $(,)? } $rows:tt
    ) => {
        $crate::table! { @variants $(#[$meta])* $visibility $table $rows }

        const _: () = {
            struct Row { $($column: $type),* }

            impl $table {
                $($crate::table! { @column $(#[$about])* $visibility $column: $type, $rows })*
            }
        };
    };

    (
        @variants $(#[$meta:meta])* $visibility:vis $table:ident
        { $($(#[$about:meta])* $row:ident { $($column:ident: $value:expr),* $(,)? })* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(rustdoc::bare_urls, reason = "the texts are for terminals too")]
        $visibility enum $table {
            $($(#[$about])* #[doc = concat!("\n\n", $($crate::table!(@doc $column $value)),*)] $row,)*
        }

        impl $table {
            /// Every variant, in the order of the table.
            #[allow(dead_code, reason = "not every table is listed")]
            $visibility const ALL: &[Self] = &[$(Self::$row),*];
        }
    };

    (
        @column $(#[$about:meta])* $visibility:vis $column:ident: $type:ty,
        { $($(#[$ignored:meta])* $row:ident { $($value:tt)* })* }
    ) => {
        $(#[$about])*
        $visibility const fn $column(self) -> $type {
            match self { $(Self::$row => const { Row { $($value)* }.$column }),* }
        }
    };

    (@doc name $value:expr) => { concat!("`", $value, "`") };
    (@doc number $value:expr) => { concat!(" (", $value, ")") };
    (@doc message $value:expr) => { concat!(": ", $value) };
    (@doc remedy $value:expr) => { concat!(" ", $value) };
    (@doc $column:ident $value:expr) => { "" };
}

#[cfg(test)]
mod tests {
    table! {
        /// How a request ends.
        enum End {
            /// The name.
            name: &'static str,
            /// The number.
            number: u8,
            /// Whether it is an end at all.
            is_end: bool,
        }

        Good { name: "good", number: 3, is_end: true }
        /// No answer came.
        Bad { is_end: false, number: 1, name: "bad" }
    }

    table! {
        /// What follows.
        struct Sequel of End {
            next: &'static [End],
        }

        Bad { next: &[End::Bad, End::Good] }
        Good { next: &[] }
    }

    #[test]
    fn it_lists_the_rows_in_their_order() {
        assert_eq!(End::ALL, [End::Good, End::Bad]);
        assert!(End::Good < End::Bad);
    }

    #[test]
    fn it_takes_the_columns_of_a_row_in_any_order() {
        let rows = End::ALL.iter().map(|end| (end.name(), end.number(), end.is_end()));
        assert_eq!(rows.collect::<Vec<_>>(), [("good", 3, true), ("bad", 1, false)]);
    }

    #[test]
    fn it_finds_the_row_of_a_variant_at_compile_time() {
        const AFTER_BAD: &Sequel = Sequel::of(End::Bad);
        assert_eq!(AFTER_BAD.next, [End::Bad, End::Good]);
        assert_eq!(Sequel::of(End::Good).next, []);
    }
}
