//! stub
#![allow(missing_docs)]
use std::io::BufRead;
pub struct Item { pub payload: String, pub place: String }
#[derive(Debug, thiserror::Error)] pub enum SourceError { #[error("x")] X }
pub type Items = Box<dyn Iterator<Item = Result<Item, SourceError>> + Send>;
pub enum Separator { Newline, Nul }
pub struct CsvOptions { pub delimiter: u8, pub header: bool }
pub struct GlobOptions { pub exclude: Vec<String>, pub hidden: bool }
fn item(x: String) -> Item { Item { payload: serde_json::to_string(&x).unwrap(), place: String::new() } }
pub fn lines(r: impl BufRead+Send+'static, _n: &str, s: Separator) -> Items { let b = match s {Separator::Nul=>0u8,_=>b'\n'}; Box::new(r.split(b).map(|x| Ok(item(String::from_utf8(x.unwrap()).unwrap())))) }
pub fn jsonl(_r: impl BufRead+Send+'static, _n: &str) -> Items { todo!() }
pub fn csv(_r: impl BufRead+Send+'static, _n: &str, _s: CsvOptions) -> Result<Items,SourceError> { todo!() }
pub fn glob(_r: &[String], _n: GlobOptions) -> Result<Items,SourceError> { todo!() }
pub fn arguments(r: Vec<String>) -> Items { Box::new(r.into_iter().map(|x| Ok(item(x)))) }
pub fn once(r: String) -> Items { Box::new(std::iter::once(Ok(Item { payload: r, place: String::new() }))) }
pub fn open_file(p: &std::path::Path) -> Result<std::io::BufReader<std::fs::File>, SourceError> { Ok(std::io::BufReader::new(std::fs::File::open(p).map_err(|_| SourceError::X)?)) }
