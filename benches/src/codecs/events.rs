//! XML-RPC by hand over quick-xml's events: no tree between, a reader for each type.

use std::fmt::Write;

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::Event;

use super::Round;
use crate::load::Op;
use crate::peer::{Problem, Record};

/// What is read from.
struct Events<'a>(Reader<&'a [u8]>);

impl<'a> Events<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = true;
        Self(reader)
    }

    /// The next start tag must be this.
    fn open(&mut self, name: &str) -> Result<(), Problem> {
        loop {
            match self.0.read_event()? {
                Event::Start(tag) if tag.name().as_ref() == name => return Ok(()),
                Event::Decl(_) => {}
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                other => return Err(format!("{other:?} in place of <{name}>").into()),
            }
        }
    }

    /// The next end tag must be this.
    fn close(&mut self, name: &str) -> Result<(), Problem> {
        match self.0.read_event()? {
            Event::End(tag) if tag.name().as_ref() == name => Ok(()),
            other => Err(format!("{other:?} in place of </{name}>").into()),
        }
    }

    /// Whether this tag opens, before its parent ends.
    fn another(&mut self, name: &str, parent: &str) -> Result<bool, Problem> {
        match self.0.read_event()? {
            Event::Start(tag) if tag.name().as_ref() == name => Ok(true),
            Event::End(tag) if tag.name().as_ref() == parent => Ok(false),
            other => Err(format!("{other:?} in place of <{name}>").into()),
        }
    }

    /// The text up to the end of this tag, which is open.
    fn text(&mut self, name: &str) -> Result<String, Problem> {
        let mut found = String::new();
        loop {
            match self.0.read_event()? {
                Event::Text(text) => found.push_str(&text),
                Event::GeneralRef(name) => {
                    let entity = format!("&{};", &*name);
                    found.push_str(&unescape(&entity)?);
                }
                Event::End(tag) if tag.name().as_ref() == name => return Ok(found),
                other => return Err(format!("{other:?} in <{name}>").into()),
            }
        }
    }

    /// A whole value of one type.
    fn value(&mut self, kind: &str) -> Result<String, Problem> {
        self.open("value")?;
        self.open(kind)?;
        let text = self.text(kind)?;
        self.close("value")?;
        Ok(text)
    }

    fn record(&mut self) -> Result<Record, Problem> {
        let mut record = Record {
            id: 0,
            name: String::new(),
            address: String::new(),
            score: 0.0,
            tags: Vec::new(),
        };
        self.open("struct")?;
        while self.another("member", "struct")? {
            self.open("name")?;
            match self.text("name")?.as_str() {
                "id" => record.id = self.value("int")?.parse()?,
                "name" => record.name = self.value("string")?,
                "address" => record.address = self.value("string")?,
                "score" => record.score = self.value("double")?.parse()?,
                "tags" => {
                    self.open("value")?;
                    self.open("array")?;
                    self.open("data")?;
                    while self.another("value", "data")? {
                        self.open("string")?;
                        record.tags.push(self.text("string")?);
                        self.close("value")?;
                    }
                    self.close("array")?;
                    self.close("value")?;
                }
                other => return Err(format!("no member is called {other}").into()),
            }
            self.close("member")?;
        }
        self.close("value")?;
        Ok(record)
    }

    fn records(&mut self) -> Result<Vec<Record>, Problem> {
        let mut records = Vec::new();
        self.open("value")?;
        self.open("array")?;
        self.open("data")?;
        while self.another("value", "data")? {
            records.push(self.record()?);
        }
        self.close("array")?;
        self.close("value")?;
        Ok(records)
    }
}

fn write_records(out: &mut String, records: &[Record]) -> Result<(), Problem> {
    out.push_str("<value><array><data>");
    for record in records {
        write!(
            out,
            "<value><struct>\
             <member><name>id</name><value><int>{}</int></value></member>\
             <member><name>name</name><value><string>{}</string></value></member>\
             <member><name>address</name><value><string>{}</string></value></member>\
             <member><name>score</name><value><double>{}</double></value></member>\
             <member><name>tags</name><value><array><data>",
            record.id,
            escape(&record.name),
            escape(&record.address),
            record.score,
        )?;
        for tag in &record.tags {
            write!(out, "<value><string>{}</string></value>", escape(tag))?;
        }
        out.push_str("</data></array></value></member></struct></value>");
    }
    out.push_str("</data></array></value>");
    Ok(())
}

/// Writes a request around `params`, and gives the reader that stands before them.
fn request<'a>(
    out: &'a mut String,
    method: &str,
    params: impl FnOnce(&mut String) -> Result<(), Problem>,
) -> Result<Events<'a>, Problem> {
    out.clear();
    write!(
        out,
        "<?xml version=\"1.0\"?><methodCall><methodName>{method}</methodName><params>"
    )?;
    params(out)?;
    out.push_str("</params></methodCall>");
    let mut events = Events::new(out);
    events.open("methodCall")?;
    events.open("methodName")?;
    if events.text("methodName")? != method {
        return Err("another method".into());
    }
    events.open("params")?;
    Ok(events)
}

/// Writes a reply around `result`, and gives the reader that stands before it.
fn reply<'a>(
    out: &'a mut String,
    result: impl FnOnce(&mut String) -> Result<(), Problem>,
) -> Result<Events<'a>, Problem> {
    out.clear();
    out.push_str("<?xml version=\"1.0\"?><methodResponse><params><param>");
    result(out)?;
    out.push_str("</param></params></methodResponse>");
    let mut events = Events::new(out);
    events.open("methodResponse")?;
    events.open("params")?;
    events.open("param")?;
    Ok(events)
}

fn add(out: &mut String) -> Result<(), Problem> {
    let mut events = request(out, "add", |out| {
        for number in [100_000, -7] {
            write!(out, "<param><value><int>{number}</int></value></param>")?;
        }
        Ok(())
    })?;
    let mut sum = 0;
    for _ in 0..2 {
        events.open("param")?;
        sum += events.value("int")?.parse::<i32>()?;
        events.close("param")?;
    }
    let mut events = reply(out, |out| {
        Ok(write!(out, "<value><int>{sum}</int></value>")?)
    })?;
    match events.value("int")?.parse()? {
        99_993 => Ok(()),
        other => Err(format!("100000 - 7 is not {other}").into()),
    }
}

fn echo(out: &mut String, records: &[Record]) -> Result<Vec<Record>, Problem> {
    let mut events = request(out, "records", |out| {
        out.push_str("<param>");
        write_records(out, records)?;
        out.push_str("</param>");
        Ok(())
    })?;
    events.open("param")?;
    let records = events.records()?;
    reply(out, |out| write_records(out, &records))?.records()
}

/// One call after the other, in one buffer.
pub(super) fn prepare(op: Op) -> Result<Round, Problem> {
    let mut out = String::new();
    Ok(match op {
        Op::Add => Box::new(move || add(&mut out)),
        _ => {
            let mut records = Record::samples();
            Box::new(move || {
                records = echo(&mut out, &records)?;
                Ok(())
            })
        }
    })
}
