//! What the simulated company knows before the first call: plain data, given by whoever starts the simulator.

use jiff::civil::Date;
use rust_decimal::Decimal;

/// Everything that a company starts with.
#[derive(Debug, Clone, Default)]
pub struct Masters {
    pub base_currency: String,
    pub suppliers: Vec<Supplier>,
    pub accounts: Vec<Account>,
    pub segments: Vec<Segment>,
    /// Joins the segment values of a subaccount.
    pub separator: String,
    pub vats: Vec<Vat>,
    pub categories: Vec<VatCategory>,
    pub terms: Vec<CreditTerms>,
    pub branches: Vec<Branch>,
    pub currencies: Vec<Currency>,
    pub periods: Vec<Period>,
    pub units: Vec<String>,
    pub items: Vec<Item>,
    /// Documents that people keyed in by hand before the connector came.
    pub orders: Vec<KeyedOrder>,
    pub invoices: Vec<KeyedInvoice>,
    pub receipts: Vec<Receipt>,
}

#[derive(Debug, Clone)]
pub struct Supplier {
    pub number: String,
    pub name: String,
    /// `Active`, `OnHold`, `HoldPayments`, `Inactive` or `OneTime`.
    pub status: String,
    pub corporate_id: Option<String>,
    pub vat_registration_id: Option<String>,
    pub vat_zone: String,
    pub currency: String,
    pub credit_terms: String,
    /// ISO country code.
    pub country: String,
    /// What the payment method says: description, value.
    pub payment_details: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub struct Account {
    pub number: String,
    pub description: String,
    /// `Asset`, `Liability`, `Income` or `Expense`.
    pub kind: String,
    pub active: bool,
    pub cash: bool,
}

#[derive(Debug, Clone)]
pub struct Segment {
    pub id: i64,
    pub description: String,
    pub length: usize,
    /// Whether a value must exist.
    pub validate: bool,
    /// Taken when a line leaves the segment out.
    pub default: String,
    pub values: Vec<SegmentValue>,
}

#[derive(Debug, Clone)]
pub struct SegmentValue {
    pub value: String,
    pub description: String,
    pub active: bool,
}

#[derive(Debug, Clone)]
pub struct Vat {
    pub id: String,
    pub description: String,
    /// `Vat`, `ExemptVat`, `ReverseVat` ...
    pub kind: String,
    /// Per cent.
    pub rate: Decimal,
    pub zones: Vec<String>,
    pub categories: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct VatCategory {
    pub id: String,
    pub description: String,
    pub active: bool,
}

#[derive(Debug, Clone)]
pub struct CreditTerms {
    pub id: String,
    pub description: String,
    pub days: i64,
}

#[derive(Debug, Clone)]
pub struct Branch {
    pub number: String,
    pub name: String,
    pub active: bool,
    pub main: bool,
}

#[derive(Debug, Clone)]
pub struct Currency {
    pub id: String,
    pub decimals: u32,
    /// Base currency for one unit.
    pub rate: Decimal,
}

#[derive(Debug, Clone)]
pub struct Period {
    /// `YYYYMM`.
    pub id: String,
    pub active: bool,
    pub closed: bool,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub number: String,
    pub description: String,
    pub stock: bool,
}

/// An order that a person keyed in.
#[derive(Debug, Clone)]
pub struct KeyedOrder {
    pub supplier: String,
    pub supplier_reference: Option<String>,
    pub description: Option<String>,
    pub ordered_on: Date,
    pub currency: String,
    pub branch: String,
    /// `Hold`, `Open`, `Closed` or `Cancelled`.
    pub status: String,
    pub lines: Vec<KeyedLine>,
}

/// An invoice or credit note that a person keyed in.
#[derive(Debug, Clone)]
pub struct KeyedInvoice {
    /// `Invoice` or `DebitAdj`.
    pub document_type: String,
    pub supplier: String,
    pub supplier_reference: Option<String>,
    pub description: Option<String>,
    pub document_on: Date,
    pub currency: String,
    pub branch: String,
    /// `Hold`, `Balanced`, `Open`, `Closed` or `Voided`.
    pub status: String,
    pub lines: Vec<KeyedLine>,
}

#[derive(Debug, Clone)]
pub struct KeyedLine {
    pub description: String,
    /// Of an order line; an order line with a stock item is `GoodsForInventory`.
    pub item: Option<String>,
    pub quantity: Decimal,
    pub unit: String,
    pub unit_cost: Decimal,
    pub account: String,
    pub segments: Vec<(i64, String)>,
    pub vat_category: String,
    /// Of an invoice line: the order line that it bills, by index in [`Masters::orders`] and in
    /// that order's lines.
    pub order: Option<(usize, usize)>,
}

/// Goods or services received, on an order of [`Masters::orders`].
#[derive(Debug, Clone)]
pub struct Receipt {
    pub received_on: Date,
    /// `Released` unless the test wants another.
    pub status: String,
    pub lines: Vec<ReceiptLine>,
}

#[derive(Debug, Clone)]
pub struct ReceiptLine {
    /// Index in [`Masters::orders`].
    pub order: usize,
    /// Index in that order's lines.
    pub order_line: usize,
    pub quantity: Decimal,
}

/// Nordlys, the made-up company of the demonstration, with no suppliers and no documents yet.
pub fn nordlys() -> Masters {
    let account = |number: &str, description: &str, kind: &str, active| Account {
        number: number.into(),
        description: description.into(),
        kind: kind.into(),
        active,
        cash: number == "1920",
    };
    let value = |value: &str, description: &str, active| SegmentValue {
        value: value.into(),
        description: description.into(),
        active,
    };
    let vat = |id: &str,
               description: &str,
               kind: &str,
               rate: i64,
               zones: &[&str],
               categories: &[&str]| Vat {
        id: id.into(),
        description: description.into(),
        kind: kind.into(),
        rate: rate.into(),
        zones: zones.iter().map(|zone| (*zone).into()).collect(),
        categories: categories.iter().map(|category| (*category).into()).collect(),
    };
    let currency = |id: &str, decimals, rate| Currency { id: id.into(), decimals, rate };
    Masters {
        base_currency: "NOK".into(),
        accounts: vec![
            account("1920", "Bankinnskudd", "Asset", true),
            account("2400", "Leverandørgjeld", "Liability", true),
            account("2701", "Utgående mva ved kjøp fra utlandet", "Liability", true),
            account("2710", "Inngående mva", "Liability", true),
            account("4300", "Innkjøp av varer for videresalg", "Expense", true),
            account("6300", "Leie lokale", "Expense", true),
            account("6340", "Lys, varme", "Expense", true),
            account("6540", "Inventar", "Expense", true),
            account("6705", "Regnskapshonorar", "Expense", true),
            account("6800", "Kontorrekvisita", "Expense", true),
            account("6860", "Møter, kurs", "Expense", true),
            account("6999", "Utgått konto", "Expense", false),
            account("7140", "Reisekostnad", "Expense", true),
            account("7320", "Reklamekostnad", "Expense", true),
            account("7770", "Gebyrer og øreavrunding", "Expense", true),
        ],
        segments: vec![
            Segment {
                id: 1,
                description: "Avdeling".into(),
                length: 3,
                validate: true,
                default: "000".into(),
                values: vec![
                    value("000", "Ingen", true),
                    value("110", "IT", true),
                    value("120", "Økonomi", true),
                    value("230", "Salg", true),
                    value("310", "Lager", true),
                    value("399", "Nedlagt", false),
                    value("400", "Drift", true),
                ],
            },
            Segment {
                id: 2,
                description: "Prosjekt".into(),
                length: 6,
                validate: true,
                default: "000000".into(),
                values: vec![
                    value("000000", "Ingen", true),
                    value("P-2031", "Nytt lager", true),
                    value("P-2044", "Nettbutikk", true),
                    value("P-2050", "Omprofilering", true),
                ],
            },
        ],
        separator: "-".into(),
        vats: vec![
            vat("0", "Fritatt", "ExemptVat", 0, &["01", "03"], &["K0"]),
            vat("1", "Inngående mva 25 %", "Vat", 25, &["01"], &["K25"]),
            vat("11", "Inngående mva 15 %", "Vat", 15, &["01"], &["K15"]),
            vat("13", "Inngående mva 12 %", "Vat", 12, &["01"], &["K12"]),
            vat("86", "Tjenester fra utlandet 25 %", "ReverseVat", 25, &["03"], &["K25", "K15"]),
            vat("S1", "Svensk innenlands moms 25 %", "Vat", 25, &["03"], &[]),
        ],
        categories: [
            ("K0", "Fritatt", true),
            ("K12", "Lav sats", true),
            ("K15", "Middels sats", true),
            ("K25", "Høy sats", true),
            ("KX", "Utgått", false),
        ]
        .into_iter()
        .map(|(id, description, active)| VatCategory {
            id: id.into(),
            description: description.into(),
            active,
        })
        .collect(),
        terms: [14, 30, 45, 60]
            .into_iter()
            .map(|days| CreditTerms {
                id: days.to_string(),
                description: format!("{days} dager netto"),
                days,
            })
            .collect(),
        branches: vec![
            Branch {
                number: "1".into(),
                name: "Nordlys hovedkontor".into(),
                active: true,
                main: true,
            },
            Branch {
                number: "2".into(),
                name: "Nordlys verksted".into(),
                active: true,
                main: false,
            },
            Branch {
                number: "9".into(),
                name: "Nordlys, nedlagt".into(),
                active: false,
                main: false,
            },
        ],
        currencies: vec![
            currency("NOK", 2, Decimal::ONE),
            currency("SEK", 2, Decimal::new(105, 2)),
            currency("DKK", 2, Decimal::new(157, 2)),
            currency("EUR", 2, Decimal::new(1174, 2)),
            currency("ISK", 0, Decimal::new(8, 2)),
        ],
        periods: (2025..=2027)
            .flat_map(|year| (1..=12).map(move |month| format!("{year}{month:02}")))
            .map(|id| Period { active: true, closed: id.as_str() < "202607" || id == "202608", id })
            .collect(),
        units: ["STK", "TIME", "KRT", "KG", "DUS", "G"].map(String::from).to_vec(),
        items: vec![
            Item { number: "TJENESTE".into(), description: "Tjeneste".into(), stock: false },
            Item { number: "KONTOR".into(), description: "Kontorvarer".into(), stock: false },
            Item { number: "LAGER-1".into(), description: "Lagervare".into(), stock: true },
        ],
        ..Masters::default()
    }
}

impl Masters {
    pub(crate) fn supplier(&self, number: &str) -> Option<&Supplier> {
        self.suppliers.iter().find(|supplier| supplier.number == number)
    }

    pub(crate) fn account(&self, number: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.number == number)
    }

    pub(crate) fn currency(&self, id: &str) -> Option<&Currency> {
        self.currencies.iter().find(|currency| currency.id == id)
    }

    pub(crate) fn branch(&self, number: &str) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.number == number)
    }

    pub(crate) fn item(&self, number: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.number == number)
    }

    pub(crate) fn category(&self, id: &str) -> Option<&VatCategory> {
        self.categories.iter().find(|category| category.id == id)
    }

    pub(crate) fn terms(&self, id: &str) -> Option<&CreditTerms> {
        self.terms.iter().find(|terms| terms.id == id)
    }

    pub(crate) fn period(&self, id: &str) -> Option<&Period> {
        self.periods.iter().find(|period| period.id == id)
    }
}
