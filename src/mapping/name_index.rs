use super::party_name::PartyName;
use crate::procurement::Supplier;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Suppliers by the words of their names: finds the few of a hundred thousand that are worth
/// comparing with a vendor's name. Maps are looked up in and never walked, so their order does not
/// matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct NameIndex {
    /// By supplier number. Places in this list are what the maps hold.
    parties: Vec<(String, PartyName)>,
    by_key: HashMap<String, Vec<u32>>,
    by_joined: HashMap<String, Vec<u32>>,
    by_word: HashMap<String, Vec<u32>>,
    /// Words by the hash of what is left when one letter is taken out, and of themselves: two words
    /// within one slip share one of these.
    near_words: HashMap<u64, Vec<String>>,
}

/// A word that more suppliers have says too little to look by.
const COMMON: usize = 64;
/// Suppliers of one and the same name that are looked at.
const MOST_OF_ONE_NAME: usize = 200;
/// Shorter words are not looked for with a slip: too many others are near.
const SHORTEST_WITH_SLIP: usize = 5;

impl NameIndex {
    pub(super) fn new(suppliers: &BTreeMap<String, Supplier>) -> Self {
        let mut index = Self::default();
        for (key, supplier) in suppliers {
            let name = PartyName::read(&supplier.name);
            if name.is_empty() {
                continue;
            }
            let Ok(place) = u32::try_from(index.parties.len()) else { break };
            index.by_key.entry(name.key.clone()).or_default().push(place);
            index.by_joined.entry(name.joined.clone()).or_default().push(place);
            for word in &name.words {
                let places = index.by_word.entry(word.clone()).or_default();
                if places.is_empty() && word.len() >= SHORTEST_WITH_SLIP {
                    for hash in near_hashes(word) {
                        index.near_words.entry(hash).or_default().push(word.clone());
                    }
                }
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
            index.parties.push((key.clone(), name));
        }
        index
    }

    /// The name of a supplier, if it has one.
    pub(super) fn of(&self, supplier: &str) -> Option<&PartyName> {
        let place = self.parties.binary_search_by(|(key, _)| key.as_str().cmp(supplier)).ok()?;
        self.parties.get(place).map(|(_, name)| name)
    }

    /// Suppliers whose name may be the same or nearly so, by supplier number.
    pub(super) fn near(&self, name: &PartyName) -> BTreeSet<&str> {
        let mut places: Vec<u32> = Vec::new();
        for map in [self.by_key.get(&name.key), self.by_joined.get(&name.joined)] {
            places.extend(map.into_iter().flatten().take(MOST_OF_ONE_NAME));
        }
        let mut common: Vec<&[u32]> = Vec::new();
        for word in &name.words {
            match self.by_word.get(word) {
                Some(of) if of.len() <= COMMON => places.extend(of),
                Some(of) => common.push(of),
                None => {}
            }
            if word.len() >= SHORTEST_WITH_SLIP {
                let near = near_hashes(word).filter_map(|hash| self.near_words.get(&hash));
                for of in near.flatten().filter_map(|near| self.by_word.get(near)) {
                    if of.len() <= COMMON {
                        places.extend(of);
                    }
                }
            }
        }
        // Two common words together are rare again.
        common.sort_by_key(|of| of.len());
        if let [first, second, ..] = common.as_slice() {
            let both = first.iter().filter(|place| second.binary_search(place).is_ok());
            places.extend(both.take(MOST_OF_ONE_NAME));
        }
        let party = |place: u32| self.parties.get(place as usize);
        places.into_iter().filter_map(party).map(|(key, _)| key.as_str()).collect()
    }
}

/// Of the word, and of the word without each of its letters. Equal hashes of different texts only
/// cost a comparison.
fn near_hashes(word: &str) -> impl Iterator<Item = u64> + '_ {
    std::iter::once(fnv(word, "")).chain(
        word.char_indices().map(|(at, letter)| fnv(&word[..at], &word[at + letter.len_utf8()..])),
    )
}

/// FNV-1a over both texts as if they were one.
fn fnv(left: &str, right: &str) -> u64 {
    left.bytes().chain(right.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
