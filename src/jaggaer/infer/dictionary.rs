//! The words by which sources call things, in English, Norwegian, Swedish, Danish and Finnish.

/// Lower case, without letters that only some keyboards have.
pub(super) fn plain(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .map(|c| match c {
            'ø' | 'ö' => 'o',
            'å' | 'ä' | 'æ' => 'a',
            other => other,
        })
        .collect()
}

/// `supplierInvoiceNumber`, `external_ref` and `GL-Date` as their words.
pub(super) fn tokens(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before_lower) {
            if !word.is_empty() {
                words.push(plain(&word));
            }
            word.clear();
        }
        if c.is_alphanumeric() {
            word.push(c);
        }
        before_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    if !word.is_empty() {
        words.push(plain(&word));
    }
    words.iter().flat_map(|word| parts(word)).map(str::to_owned).collect()
}

/// What stands first in words that the Nordic languages write as one.
const HEADS: &[&str] = &[
    "account",
    "artikel",
    "artikkel",
    "belop",
    "faktura",
    "invoice",
    "item",
    "leverandor",
    "leverantor",
    "line",
    "linje",
    "mva",
    "moms",
    "order",
    "ordre",
    "prosjekt",
    "projekt",
    "rad",
    "supplier",
    "tax",
    "vare",
];
/// And what stands last.
const TAILS: &[&str] = &[
    "amount", "belop", "date", "dato", "datum", "id", "name", "namn", "navn", "nr", "number",
    "nummer", "rate", "sats", "tekst", "text",
];

/// `radnr` is a line's number: both words, where the whole is none that is known.
fn parts(word: &str) -> Vec<&str> {
    if synonym(word) == word {
        for head in HEADS {
            if let Some(tail) = word.strip_prefix(head)
                && TAILS.contains(&tail)
            {
                return vec![synonym(head), synonym(tail)];
            }
        }
    }
    vec![synonym(word)]
}

/// One word for all that mean the same in the name of a member.
fn synonym(word: &str) -> &str {
    match word {
        "no" | "nr" | "num" | "numero" | "nummer" => "number",
        "leverandor" | "leverantor" | "vendor" | "seller" | "selger" | "partner" | "toimittaja"
        | "creditor" | "kreditor" => "supplier",
        "faktura" | "bill" | "voucher" | "lasku" | "bilag" | "verifikat" => "invoice",
        "po" | "purchaseorder" | "ordre" | "bestilling" | "innkjopsordre" | "bestallning"
        | "tilaus" | "indkobsordre" => "order",
        "linje" | "row" | "rad" | "rivi" | "position" | "pos" => "line",
        "qty" | "antall" | "antal" | "maara" | "mangde" => "quantity",
        "uom" | "enhet" | "enhed" | "yksikko" | "measure" => "unit",
        "pris" | "hinta" => "price",
        "netto" | "subtotal" => "net",
        "brutto" => "gross",
        "vat" | "mva" | "moms" | "alv" | "gst" => "tax",
        "belop" | "sum" | "summa" | "value" | "amt" => "amount",
        "valuta" | "ccy" | "curr" | "valuutta" => "currency",
        "sats" => "rate",
        "dato" | "datum" | "paivays" | "dates" | "on" | "at" => "date",
        "forfall" | "forfallo" | "forfald" | "erapaiva" | "expiry" => "due",
        "tekst" | "text" | "beskrivelse" | "beskrivning" | "kuvaus" | "desc" => "description",
        "navn" | "namn" | "nimi" | "display" => "name",
        "konto" | "tili" => "account",
        "prosjekt" | "projekt" | "projekti" => "project",
        "kostnadssted" | "avdeling" | "kostnadsstalle" | "costcentre" | "costcenter"
        | "department" => "costcenter",
        "prosent" | "pct" | "procent" | "andel" | "share" => "percent",
        "endret" | "andrad" | "modified" | "changed" | "updated" | "update" | "muutettu" => {
            "changed"
        }
        "land" | "maa" => "country",
        "referanse" | "referens" | "reference" | "viite" => "ref",
        "tilstand" | "state" | "approval" | "workflow" => "status",
        "artikkel" | "artikel" | "article" | "vare" | "sku" | "catalog" | "product" => "item",
        "issued" | "issue" | "utstedt" => "issued",
        "firma" | "selskap" | "bolag" | "yhtio" => "company",
        "organisation" | "organization" | "organisasjon" | "orgnr" => "org",
        "fakturanummer" | "fakturanr" | "laskunumero" => "invoicenumber",
        "fakturadato" | "fakturadatum" => "invoicedate",
        "ordrenummer" | "ordrenr" | "bestillingsnummer" | "tilausnumero" => "ordernumber",
        "forfallsdato" | "forfallodatum" | "forfaldsdato" => "due",
        "enhetspris" | "styckpris" | "enhedspris" => "unitprice",
        "kredit" | "hyvitys" | "creditmemo" | "creditnote" => "credit",
        "erp" | "ext" => "erp",
        other => other,
    }
}

/// What a status word most likely means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Ripe,
    NotYet,
    Cancelled,
}

pub(super) fn meaning(word: &str, of_order: bool) -> Option<Meaning> {
    let word: String = plain(word).chars().filter(|c| c.is_alphanumeric()).collect();
    Some(match word.as_str() {
        "approved" | "godkjent" | "godkand" | "godkendt" | "hyvaksytty" if of_order => {
            Meaning::NotYet
        }
        "sent" | "sendt" | "skickad" | "lahetetty" | "confirmed" | "bekreftet" | "bekraftad"
        | "completed" | "complete" | "ferdig" | "klar" | "valmis" | "approved" | "godkjent"
        | "godkand" | "godkendt" | "hyvaksytty" | "payable" | "open" | "apen" | "received"
        | "partiallyreceived" | "invoiced" | "partiallyinvoiced" | "closed" | "released"
        | "readyforpayment" | "readytopay" | "ok" => Meaning::Ripe,
        "draft" | "utkast" | "kladd" | "kladde" | "luonnos" | "pending" | "pendingapproval"
        | "underarbeid" | "tilgodkjenning" | "avventer" | "vantar" | "odottaa" | "onhold"
        | "hold" | "blocked" | "sperret" | "notpayable" | "new" | "ny" | "inprogress" => {
            Meaning::NotYet
        }
        "cancelled" | "canceled" | "rejected" | "void" | "voided" | "deleted" | "annullert"
        | "annulleret" | "makulerad" | "makulert" | "avvist" | "avvisad" | "afvist" | "slettet"
        | "hylatty" | "peruttu" => Meaning::Cancelled,
        _ => return None,
    })
}

/// Whether a word names a credit note (`true`), an invoice (`false`) or neither.
pub(super) fn is_credit(word: &str) -> Option<bool> {
    let word = plain(word);
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    if has(&["credit", "kredit", "hyvitys"]) || matches!(word.as_str(), "cre" | "crn" | "cn") {
        Some(true)
    } else if has(&["invoice", "faktura", "lasku"]) || matches!(word.as_str(), "inv" | "standard") {
        Some(false)
    } else {
        None
    }
}
