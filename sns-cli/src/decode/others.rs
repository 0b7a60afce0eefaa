//! What a message holds beside the fields that are understood.
//!
//! Law: nothing is dropped. What no list of known places names, what stands in a place for the
//! second time, and text where only elements belong, all come out in document order.

use crate::redact;
use crate::report::Text;
use samsung_sns::wire::xml::Document;
use std::collections::HashSet;

/// Everything in `document` that is in none of the `known` places, written `Element/@Attribute` for
/// an attribute, `Element` for a text, `Element/` for an element that only holds others, and
/// `place=value` where only that value is known. A place that may come often ends in
/// `*`; `Element/@*` is every attribute.
pub(super) fn of(document: &Document<'_>, known: &[&str]) -> Vec<(Text, Text)> {
    let mut seen = HashSet::new();
    let mut is_new = |place: &str, value: &str| {
        let (element, _) = place.split_once('@').unwrap_or((place, ""));
        let often = known.contains(&format!("{place}*").as_str())
            || (element != place && known.contains(&format!("{element}@*").as_str()));
        let listed = known.contains(&place) || known.contains(&format!("{place}={value}").as_str());
        !(often || listed && seen.insert(place.to_owned()))
    };
    let mut others = Vec::new();
    for element in document.elements() {
        let name = element.name;
        for (key, value) in element.attributes {
            let place = format!("{name}/@{key}");
            if is_new(&place, value) {
                others.push(redact::place(place, value));
            }
        }
        let text = element.text.trim();
        let is_bare =
            element.attributes.is_empty() && !known.contains(&format!("{name}/").as_str());
        if (!text.is_empty() || is_bare) && is_new(name, text) {
            others.push(redact::place(name.to_owned(), text));
        }
    }
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_dropped() {
        let xml = "<Request Method=\"login\" New=\"1\">junk<UserName Value=\"a\"/>\
                   <UserName Value=\"b\"/><Empty/><K Use=\"false\"/><r>1</r><r>2</r></Request>";
        let known = ["Request/", "Request/@Method", "UserName/@Value", "K/@Use=true", "r*"];
        let others = of(&Document::read(xml), &known);
        let others: Vec<_> = others
            .iter()
            .map(|(place, text)| (place.value.as_str(), text.value.as_str()))
            .collect();
        assert_eq!(
            others,
            [
                ("Request/@New", "1"),
                ("Request", "junk"),
                ("UserName/@Value", "b"),
                ("Empty", ""),
                ("K/@Use", "false"),
            ]
        );
    }
}
