//! Names of companies, brought to a form in which the same company's name compares equal however
//! it is written. A name never decides who a party is; it only tells where a person should look.

use std::collections::BTreeSet;

/// A name taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartyName {
    /// What tells the company from others: folded, in the written order, without legal form and "and".
    pub words: Vec<String>,
    /// The same words sorted, as one text: equal for every order of the words.
    pub key: String,
    /// The words without gaps: equal for `Fjord Kontor` and `Fjordkontor`.
    pub joined: String,
    /// Legal forms at the ends of the name, in one spelling each.
    pub forms: BTreeSet<&'static str>,
}

/// How alike two names are, the most alike first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same words in the same order, and no two legal forms against each other.
    Same,
    /// The same words in another order.
    Reordered,
    /// The same letters, divided into other words.
    Spacing,
    /// The same words, but one is an AS and the other an ASA.
    OtherForm,
    /// One word differs by a slip of the pen.
    Typo,
    /// All words of one stand in the other, which has more.
    Part,
    /// Some words in common: percent of the letters.
    Some(u32),
    None,
}

/// Legal forms, with the spelling they are compared in. Dots, slashes and single spaces between
/// letters are gone when they are looked up: `A/S`, `a.s.` and `AS` are the same.
const FORMS: &[(&str, &[&str])] = &[
    ("as", &["as", "aksjeselskap", "aktieselskab"]),
    ("asa", &["asa", "allmennaksjeselskap"]),
    ("ab", &["ab", "aktiebolag", "aktiebolaget", "abp"]),
    ("aps", &["aps", "anpartsselskab"]),
    ("oy", &["oy", "osakeyhtio"]),
    ("oyj", &["oyj"]),
    ("hf", &["hf", "hlutafelag"]),
    ("ehf", &["ehf", "einkahlutafelag"]),
    ("ohf", &["ohf"]),
    ("ans", &["ans"]),
    ("da", &["da"]),
    ("enk", &["enk"]),
    ("nuf", &["nuf"]),
    ("sa", &["sa", "samvirkeforetak"]),
    ("ba", &["ba"]),
    ("ks", &["ks", "kommandittselskap", "kommanditselskab"]),
    ("is", &["is", "interessentskab"]),
    ("ps", &["ps", "partnerselskab"]),
    ("ivs", &["ivs"]),
    ("amba", &["amba", "andelsselskab"]),
    ("hb", &["hb", "handelsbolag"]),
    ("kb", &["kb", "kommanditbolag"]),
    ("ky", &["ky"]),
    ("tmi", &["tmi"]),
    ("slf", &["slf"]),
    ("gmbh", &["gmbh"]),
    ("kg", &["kg"]),
    ("ohg", &["ohg"]),
    ("ag", &["ag", "aktiengesellschaft"]),
    ("ug", &["ug"]),
    ("se", &["se"]),
    ("ltd", &["ltd", "limited"]),
    ("plc", &["plc"]),
    ("llp", &["llp"]),
    ("llc", &["llc"]),
    ("inc", &["inc", "incorporated"]),
    ("corp", &["corp", "corporation"]),
    ("bv", &["bv"]),
    ("nv", &["nv"]),
    ("sas", &["sas"]),
    ("sarl", &["sarl"]),
    ("srl", &["srl"]),
    ("spa", &["spa"]),
    ("sl", &["sl"]),
    ("doo", &["doo"]),
    ("zoo", &["zoo"]),
];

/// Stand in front too: `AB Volvo`, `Oy Karl Fazer Ab`, `A/S Norske Shell`.
const FORMS_IN_FRONT: &[&str] = &["as", "ab", "oy"];

/// Say nothing about who it is.
const EMPTY_WORDS: &[&str] = &["og", "och", "and", "und", "ja", "et", "the", "publ", "mva"];
/// Say nothing beside a legal form: `GmbH & Co. KG`, `Sp. z o.o.`.
const EMPTY_AT_THE_END: &[&str] = &["co", "sp"];

impl PartyName {
    pub fn read(raw: &str) -> Self {
        let mut words = words(raw);
        let mut forms = BTreeSet::new();
        // At least one word stays: a company may be called `AS Ag`.
        while words.len() > 1 {
            let last = words[words.len() - 1].as_str();
            if let Some(form) = form(last) {
                forms.insert(form);
            } else if !EMPTY_AT_THE_END.contains(&last) || forms.is_empty() {
                break;
            }
            words.pop();
        }
        if words.len() > 1
            && let Some(form) = form(&words[0]).filter(|form| FORMS_IN_FRONT.contains(form))
        {
            forms.insert(form);
            words.remove(0);
        }
        let mut sorted = words.clone();
        sorted.sort();
        Self { key: sorted.join(" "), joined: words.concat(), words, forms }
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub fn compare(&self, other: &Self) -> Likeness {
        if self.is_empty() || other.is_empty() {
            return Likeness::None;
        }
        if self.key == other.key || self.joined == other.joined {
            return if self.contradicts_form(other) {
                Likeness::OtherForm
            } else if self.words == other.words {
                Likeness::Same
            } else if self.key == other.key {
                Likeness::Reordered
            } else {
                Likeness::Spacing
            };
        }
        if self.is_slip(other) {
            return Likeness::Typo;
        }
        let (common, left, right) = self.letters_in_common(other);
        match common {
            0 => Likeness::None,
            _ if common == left || common == right => Likeness::Part,
            _ => Likeness::Some(200 * common / (left + right)),
        }
    }

    /// Both say a form, and no form is the same.
    fn contradicts_form(&self, other: &Self) -> bool {
        !self.forms.is_empty() && !other.forms.is_empty() && self.forms.is_disjoint(&other.forms)
    }

    /// As many words, and all but one the same: that one has five letters or more, no digits, and
    /// one letter is wrong, missing, too many, or two have changed places.
    fn is_slip(&self, other: &Self) -> bool {
        if self.words.len() != other.words.len() {
            return false;
        }
        let only_left = without(&self.words, &other.words);
        let only_right = without(&other.words, &self.words);
        match (only_left.as_slice(), only_right.as_slice()) {
            ([left], [right]) => {
                let words = [left, right];
                words
                    .iter()
                    .all(|word| word.len() >= 5 && !word.bytes().any(|b| b.is_ascii_digit()))
                    && strsim::osa_distance(left, right) == 1
            }
            _ => false,
        }
    }

    /// Letters of the common words, of this name, and of the other.
    fn letters_in_common(&self, other: &Self) -> (u32, u32, u32) {
        let letters = |words: &mut dyn Iterator<Item = &str>| -> u32 {
            words.map(|word| u32::try_from(word.len()).unwrap_or(u32::MAX)).sum()
        };
        let all = |words: &[String]| letters(&mut words.iter().map(String::as_str));
        let (left, right) = (all(&self.words), all(&other.words));
        let apart = letters(&mut without(&self.words, &other.words).into_iter());
        (left - apart, left, right)
    }
}

impl Likeness {
    /// 0 to 70: a name alone never reaches what an identifier does.
    pub const fn score(self) -> u32 {
        match self {
            Self::Same => 70,
            Self::Reordered | Self::Spacing => 65,
            Self::OtherForm => 60,
            Self::Typo => 55,
            Self::Part => 40,
            Self::Some(percent) => percent * 40 / 100,
            Self::None => 0,
        }
    }

    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Same => Some("same name"),
            Self::Reordered => Some("same name but for the order of words"),
            Self::Spacing => Some("same name but for the spaces"),
            Self::OtherForm => Some("same name but for the legal form"),
            Self::Typo => Some("same name but for one letter"),
            Self::Part => Some("one name is part of the other"),
            Self::Some(_) => Some("similar name"),
            Self::None => None,
        }
    }
}

/// The words of `left` that are not in `right`, each as often as it is missing there.
fn without<'a>(left: &'a [String], right: &[String]) -> Vec<&'a str> {
    let mut rest: Vec<&str> = right.iter().map(String::as_str).collect();
    left.iter()
        .map(String::as_str)
        .filter(|word| match rest.iter().position(|other| other == word) {
            Some(at) => {
                rest.swap_remove(at);
                false
            }
            None => true,
        })
        .collect()
}

fn form(word: &str) -> Option<&'static str> {
    FORMS.iter().find(|(_, spellings)| spellings.contains(&word)).map(|(form, _)| *form)
}

/// Folded words, single letters joined to one (`A/S`, `B. M. Hansen`), empty ones left out.
fn words(raw: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut letters = String::new();
    for part in fold(raw).split(' ').filter(|part| !part.is_empty()) {
        if part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_lowercase()) {
            letters.push_str(part);
            continue;
        }
        if !letters.is_empty() {
            words.push(std::mem::take(&mut letters));
        }
        words.push(part.to_owned());
    }
    if !letters.is_empty() {
        words.push(letters);
    }
    let told = words.iter().any(|word| !EMPTY_WORDS.contains(&word.as_str()));
    words.retain(|word| !told || !EMPTY_WORDS.contains(&word.as_str()));
    words
}

/// Lower case ASCII with single spaces. Letters that the Nordic languages write in several ways
/// come to one: å and aa, ä, æ and ae, ö, ø and oe, ü and ue.
fn fold(raw: &str) -> String {
    let mut folded = String::with_capacity(raw.len());
    for c in raw.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => folded.push(c),
            'å' | 'ä' | 'æ' | 'á' | 'à' | 'â' | 'ã' | 'ą' | 'ā' => folded.push('a'),
            'ö' | 'ø' | 'ó' | 'ò' | 'ô' | 'õ' | 'ő' | 'œ' => folded.push('o'),
            'ü' | 'ú' | 'ù' | 'û' | 'ű' | 'ū' => folded.push('u'),
            'é' | 'è' | 'ê' | 'ë' | 'ę' | 'ē' | 'ě' => folded.push('e'),
            'í' | 'ì' | 'î' | 'ï' | 'ī' => folded.push('i'),
            'ý' | 'ÿ' => folded.push('y'),
            'ð' | 'đ' | 'ď' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ß' => folded.push_str("ss"),
            'ç' | 'č' | 'ć' => folded.push('c'),
            'ñ' | 'ń' | 'ň' => folded.push('n'),
            'š' | 'ś' | 'ş' => folded.push('s'),
            'ž' | 'ź' | 'ż' => folded.push('z'),
            'ł' | 'ĺ' => folded.push('l'),
            'ř' => folded.push('r'),
            'ť' => folded.push('t'),
            // Inside a word, and accents that stand apart from their letter.
            '\'' | '’' | '`' | '´' | '\u{300}'..='\u{36f}' => {}
            c if c.is_alphanumeric() => folded.push(c),
            _ => folded.push(' '),
        }
    }
    for (pair, one) in [("aa", "a"), ("ae", "a"), ("oe", "o"), ("ue", "u")] {
        folded = folded.replace(pair, one);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        // (written, key, forms)
        let cases = [
            ("Fjord Kontor AS", "fjord kontor", "as"),
            ("FJORD KONTOR A/S", "fjord kontor", "as"),
            ("Fjord-Kontor a.s.", "fjord kontor", "as"),
            ("Kontor, Fjord", "fjord kontor", ""),
            ("Bergström & Söner Aktiebolag (publ)", "bergstrom soner", "ab"),
            ("Bergstroem och Söner AB", "bergstrom soner", "ab"),
            ("Nordsjø Ægir ASA", "agir nordsjo", "asa"),
            ("Aarhus Smedje ApS", "arhus smedje", "aps"),
            ("Århus Smedje A.p.S.", "arhus smedje", "aps"),
            ("Oy Karl Fazer Ab", "fazer karl", "ab oy"),
            ("Yhtiö Oyj", "yhtio", "oyj"),
            ("Þór Fiskur ehf.", "fiskur thor", "ehf"),
            ("Þór Fiskur e.h.f", "fiskur thor", "ehf"),
            ("Müller Maschinen GmbH & Co. KG", "maschinen muller", "gmbh kg"),
            ("Mueller Maschinen", "maschinen muller", ""),
            ("The Paper Company Ltd.", "company paper", "ltd"),
            ("B. M. Hansen", "bm hansen", ""),
            ("Elkjøp's Nordic AS", "elkjops nordic", "as"),
            ("AB Volvo", "volvo", "ab"),
            // What would be a form elsewhere is the name itself here.
            ("AS", "as", ""),
            ("SE", "se", ""),
            ("Og", "og", ""),
            ("Da Vinci AS", "da vinci", "as"),
            ("3M Norge AS", "3m norge", "as"),
            ("", "", ""),
            (" - ", "", ""),
            ("ООО Север", "ооо север", ""),
        ];
        for (raw, key, forms) in cases {
            let name = PartyName::read(raw);
            let found: Vec<&str> = name.forms.iter().copied().collect();
            assert_eq!((name.key.as_str(), found.join(" ").as_str()), (key, forms), "{raw}");
        }
    }

    #[test]
    fn names_are_compared() {
        let cases = [
            ("Fjord Kontor AS", "fjord  kontor a/s", Likeness::Same),
            ("Fjord Kontor AS", "Fjord Kontor", Likeness::Same),
            ("Fjord og Kontor AS", "Fjord & Kontor AS", Likeness::Same),
            ("Fjord Kontor AS", "Kontor Fjord AS", Likeness::Reordered),
            ("Fjord Kontor AS", "Fjordkontor AS", Likeness::Spacing),
            ("Fjord Kontor AS", "Fjord Kontor ASA", Likeness::OtherForm),
            ("Fjord Kontor AS", "Fjordkontor ASA", Likeness::OtherForm),
            ("Fjord Kontor AS", "Fjord Kontro AS", Likeness::Typo),
            ("Fjord Kontor AS", "Fjord Konttor AS", Likeness::Typo),
            ("Fjord Kontor AS", "Fjord Motor AS", Likeness::Some(47)),
            // Short words and numbers tell companies apart.
            ("Berg Bygg AS", "Borg Bygg AS", Likeness::Some(50)),
            ("Havn 1001a AS", "Havn 1002a AS", Likeness::Some(44)),
            ("Fjord Kontor AS", "Fjord Kontor Vest AS", Likeness::Part),
            ("Fjord Kontor Vest", "Kontor Fjord", Likeness::Part),
            ("Fjord Kontor AS", "Hansen Transport AS", Likeness::None),
            ("Fjord Fjord AS", "Fjord AS", Likeness::Part),
            ("", "", Likeness::None),
        ];
        for (left, right, expected) in cases {
            let (a, b) = (PartyName::read(left), PartyName::read(right));
            assert_eq!(a.compare(&b), expected, "{left} | {right}");
            assert_eq!(b.compare(&a), expected, "{right} | {left}");
        }
    }

    #[test]
    fn more_alike_never_scores_less() {
        let all = [
            Likeness::Same,
            Likeness::Reordered,
            Likeness::Spacing,
            Likeness::OtherForm,
            Likeness::Typo,
            Likeness::Part,
            Likeness::Some(100),
            Likeness::Some(1),
            Likeness::None,
        ];
        assert!(all.is_sorted_by(|a, b| a.score() >= b.score()));
    }
}
