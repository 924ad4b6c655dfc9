//! Statements with a fixed text that diesel prepares once per connection.
//!
//! The query builder makes a new statement of every UPDATE and of everything that holds literal SQL, and a literal
//! is what SQLite needs to see that a partial index applies. A node declared here has a static query id instead,
//! so that its text is built and prepared at its first use only.

/// Declares a statement: pieces of text, literal or constant, each followed by the value bound there, then the rest of the text.
///
/// A piece that differs between the databases is both texts in brackets, SQLite's first: `["max(" "greatest("]`.
macro_rules! statement {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $($text:tt $field:ident: $rust:ty as $sql:ty,)*
        }
        $rest:tt
        $(-> $row:ty)?
    ) => {
        $(#[$meta])*
        $vis struct $name $(<$life>)? {
            $(pub $field: $rust,)*
        }

        const _: () = {
            pub struct StaticId;

            impl $(<$life>)? diesel::query_builder::QueryId for $name $(<$life>)? {
                type QueryId = StaticId;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl $(<$life>)? diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name $(<$life>)? {
                fn walk_ast<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
                ) -> diesel::QueryResult<()> {
                    $(
                        out.push_sql($crate::store::statement::text!(sqlite $text));
                        out.push_bind_param::<$sql, _>(&self.$field)?;
                    )*
                    out.push_sql($crate::store::statement::text!(sqlite $rest));
                    Ok(())
                }
            }

            #[cfg(feature = "postgres")]
            impl $(<$life>)? diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name $(<$life>)? {
                fn walk_ast<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    $(
                        out.push_sql($crate::store::statement::text!(postgres $text));
                        out.push_bind_param::<$sql, _>(&self.$field)?;
                    )*
                    out.push_sql($crate::store::statement::text!(postgres $rest));
                    Ok(())
                }
            }

            #[cfg(feature = "postgres")]
            impl $(<$life>)? diesel::query_builder::QueryFragment<$crate::store::connection::Db> for $name $(<$life>)? {
                fn walk_ast<'b>(
                    &'b self,
                    out: diesel::query_builder::AstPass<'_, 'b, $crate::store::connection::Db>,
                ) -> diesel::QueryResult<()> {
                    $crate::store::connection::Db::walk_variant_ast(self, out)
                }
            }

            impl<$($life,)? Conn> diesel::RunQueryDsl<Conn> for $name $(<$life>)? {}

            $(
                impl diesel::query_builder::Query for $name {
                    type SqlType = $row;
                }
            )?
        };
    };
}

/// Chooses the text of a piece for one database.
macro_rules! text {
    (sqlite [$sqlite:tt $postgres:tt]) => {
        $sqlite
    };
    (postgres [$sqlite:tt $postgres:tt]) => {
        $postgres
    };
    ($database:ident $text:tt) => {
        $text
    };
}

pub(super) use {statement, text};
