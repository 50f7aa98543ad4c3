//! What a profile asks for, and by which words it is known. Words are those that the dictionary
//! makes of a member's name; more words of a name are better than fewer.

use super::score::Shape;

/// A field of ours.
pub(super) struct Target {
    pub(super) field: &'static str,
    pub(super) shape: Shape,
    /// Each a set of words that must all stand in the path.
    pub(super) names: &'static [&'static str],
    /// Words that belong to another field.
    pub(super) not: &'static [&'static str],
}

const fn target(
    field: &'static str,
    shape: Shape,
    names: &'static [&'static str],
    not: &'static [&'static str],
) -> Target {
    Target { field, shape, names, not }
}

const ELSEWHERE: &[&str] = &[
    "supplier", "ship", "bill", "original", "credits", "contact", "user", "address", "by", "payee",
];

pub(super) const INVOICE: &[Target] = &[
    target("id", Shape::Id, &["invoice id", "document id", "id", "uuid", "guid", "key"], ELSEWHERE),
    target(
        "number",
        Shape::Text,
        &["invoice number", "invoicenumber", "document number", "number"],
        &["supplier", "external", "original", "credits", "order", "line", "org", "ext", "phone"],
    ),
    target(
        "supplier_reference",
        Shape::Text,
        &[
            "supplier invoice number",
            "supplier invoicenumber",
            "external ref",
            "supplier ref",
            "supplier invoice ref",
            "invoice ref",
            "external number",
            "external invoice",
            "ref",
        ],
        &["original", "credits", "payment", "buyer", "our"],
    ),
    target(
        "credits_reference",
        Shape::Text,
        &[
            "original supplier invoice number",
            "original invoice number",
            "credits external ref",
            "credits ref",
            "original ref",
            "credited invoice",
        ],
        &["id"],
    ),
    target(
        "business_unit",
        Shape::Text,
        &["business unit", "company", "legal entity"],
        &["supplier", "invoiced", "by", "name", "user"],
    ),
    target("currency", Shape::Currency, &["currency code", "currency"], &["base", "rate"]),
    target(
        "exchange_rate",
        Shape::Number,
        &["exchange rate", "currency rate", "kurs", "rate"],
        &["tax", "line", "discount"],
    ),
    target(
        "invoiced_on",
        Shape::Day,
        &["invoice date", "invoicedate", "issued date", "issued", "document date", "date"],
        &[
            "due",
            "create",
            "created",
            "changed",
            "accounting",
            "booked",
            "original",
            "delivery",
            "received",
            "ordered",
        ],
    ),
    target(
        "accounting_on",
        Shape::Day,
        &["accounting date", "booked date", "posting date", "booked", "gl date", "period date"],
        &["due"],
    ),
    target("due_on", Shape::Day, &["due date", "due"], &["discount"]),
    target(
        "terms",
        Shape::Text,
        &["payment terms code", "terms code", "payment days", "payment terms", "terms"],
        &["type", "discount", "net", "after"],
    ),
    target(
        "payment_reference",
        Shape::Text,
        &["payment ref", "kid", "ocr", "payment id"],
        &["status", "method"],
    ),
    target("net", Shape::Amount, &["net amount", "net"], &["line", "terms"]),
    target(
        "tax",
        Shape::Amount,
        &["tax amount", "tax", "tax charge1"],
        &["line", "rate", "code", "charge2", "withholding", "withholding1"],
    ),
    target(
        "gross",
        Shape::Amount,
        &["gross amount", "gross", "total amount", "total", "grand total", "amount due", "amount"],
        &["net", "tax", "discount", "charge", "line", "shipping", "rounding", "handling", "meta"],
    ),
    target(
        "vendor.source_id",
        Shape::Text,
        &["supplier id", "supplier key internal"],
        &["invoice", "erp"],
    ),
    target(
        "vendor.erp_number",
        Shape::Text,
        &["supplier supplier number", "supplier erp", "supplier number", "supplier code"],
        &["invoice", "internal", "id"],
    ),
    target("vendor.name", Shape::Text, &["supplier name"], &["contact"]),
    target(
        "kind",
        Shape::Word,
        &["invoice type", "document kind", "document type", "type", "kind"],
        &["line", "terms", "source", "supplier", "payment"],
    ),
    target(
        "stamp",
        Shape::Instant,
        &["last changed", "changed date", "date changed", "lastmodtime", "changed", "timestamp"],
        &["created", "create"],
    ),
];

pub(super) const ORDER: &[Target] = &[
    target("id", Shape::Id, &["order id", "document id", "id", "uuid", "guid", "key"], ELSEWHERE),
    target(
        "number",
        Shape::Text,
        &["order number", "ordernumber", "document number", "number"],
        &["supplier", "external", "line", "org", "revision", "change", "phone"],
    ),
    target(
        "revision",
        Shape::Count,
        &["revision number", "revision", "change number", "version"],
        &["line"],
    ),
    target(
        "business_unit",
        Shape::Text,
        &["business unit", "company", "legal entity"],
        &["supplier", "requested", "by", "name", "user"],
    ),
    target("currency", Shape::Currency, &["currency code", "currency"], &["base", "rate"]),
    target(
        "ordered_on",
        Shape::Day,
        &["order date", "ordered date", "ordered", "issued date", "create date", "date"],
        &["due", "changed", "delivery", "requested"],
    ),
    target(
        "terms",
        Shape::Text,
        &["payment terms code", "terms code", "payment days", "payment terms", "terms"],
        &["type", "discount", "net", "after"],
    ),
    target("net", Shape::Amount, &["net amount", "sub total", "net"], &["line", "terms"]),
    target(
        "gross",
        Shape::Amount,
        &["gross amount", "gross", "total amount", "total", "grand total"],
        &["net", "tax", "sub", "line"],
    ),
    target("vendor.source_id", Shape::Text, &["supplier id", "supplier key internal"], &["erp"]),
    target(
        "vendor.erp_number",
        Shape::Text,
        &["supplier supplier number", "supplier erp", "supplier number", "supplier code"],
        &["internal", "id"],
    ),
    target("vendor.name", Shape::Text, &["supplier name"], &["contact"]),
    target(
        "stamp",
        Shape::Instant,
        &["last changed", "changed date", "date changed", "lastmodtime", "changed", "timestamp"],
        &["created", "create"],
    ),
];

pub(super) const LINE: &[Target] = &[
    target("key", Shape::Id, &["line id", "id", "uuid"], &["order", "item", "tax", "contract"]),
    target(
        "number",
        Shape::Text,
        &["line number", "line", "number", "sequence"],
        &["order", "item", "account", "contract"],
    ),
    target(
        "item",
        Shape::Text,
        &["item number", "item code", "item id", "item"],
        &["description", "unit", "type", "name"],
    ),
    target(
        "description",
        Shape::Text,
        &["item description", "description", "name"],
        &["account", "tax", "unit"],
    ),
    target("commodity", Shape::Text, &["commodity code", "unspsc", "category code"], &["tax"]),
    target(
        "quantity",
        Shape::Number,
        &["quantity", "hours"],
        &["basis", "received", "invoiced", "price", "unit"],
    ),
    target(
        "unit",
        Shape::Text,
        &["unit unit", "unit dimension", "unit code", "unit"],
        &["price", "business", "alternate", "quantity"],
    ),
    target(
        "unit_price",
        Shape::Amount,
        &["unit price", "unitprice", "price"],
        &["extended", "basis", "quantity", "total"],
    ),
    target(
        "price_basis",
        Shape::Number,
        &["price basis quantity", "price unit quantity", "price per", "price quantity"],
        &[],
    ),
    target(
        "net",
        Shape::Amount,
        &["net amount", "net", "extended price", "line amount", "line total", "amount", "total"],
        &["tax", "unit", "gross", "discount", "charge", "shipping"],
    ),
    target(
        "order.number",
        Shape::Text,
        &["order order number", "order number", "ordernumber"],
        &["line", "id"],
    ),
    target(
        "order.line_number",
        Shape::Text,
        &["order order line number", "order line number", "order line"],
        &["id"],
    ),
    target("order.line_key", Shape::Text, &["order order line id", "order line id"], &[]),
    target(
        "requested_on",
        Shape::Day,
        &["requested delivery date", "delivery date", "requested date", "wanted"],
        &["invoice"],
    ),
    target("contract", Shape::Text, &["contract number"], &[]),
];

pub(super) const TAX: &[Target] = &[
    target("code", Shape::Text, &["tax code", "code"], &["country"]),
    target("rate", Shape::Number, &["tax rate", "rate", "percent"], &[]),
    target("base", Shape::Amount, &["tax base", "base", "taxable"], &[]),
    target("amount", Shape::Amount, &["tax amount", "amount", "tax"], &["rate", "base"]),
];

pub(super) const SHARE: &[Target] = &[
    target("percent", Shape::Number, &["percent"], &["tax"]),
    target("amount", Shape::Amount, &["amount", "net"], &["tax", "percent"]),
];

pub(super) const SUPPLIER: &[Target] = &[
    target(
        "id",
        Shape::Id,
        &["supplier id", "key internal", "bravo id", "internal id", "id", "uuid"],
        &["parent", "address", "bank", "org", "business"],
    ),
    target(
        "name",
        Shape::Text,
        &["company name", "supplier name", "name"],
        &["contact", "street", "legal", "bank", "user", "category"],
    ),
    target(
        "erp_number",
        Shape::Text,
        &["supplier number", "key erp", "erp number", "erp code", "supplier code", "erp"],
        &["parent", "business", "internal", "org"],
    ),
    target(
        "organisation_number",
        Shape::Text,
        &["org number", "org id", "orgnumber", "fiscal code", "business id", "org"],
        &["name"],
    ),
    target("vat_number", Shape::Text, &["tax number", "eu tax", "tax id"], &["zone"]),
    target("country", Shape::Text, &["country code", "iso country", "country"], &["bank"]),
    target("currency", Shape::Currency, &["currency code", "currency"], &["bank"]),
    target("parent", Shape::Text, &["parent supplier id", "parent id", "parent"], &["name"]),
    target("duns", Shape::Text, &["duns"], &[]),
    target("gln", Shape::Text, &["gln"], &[]),
    target(
        "address.street",
        Shape::Text,
        &["street", "address lines", "address"],
        &["city", "country", "zip", "usage", "town", "post", "postal"],
    ),
    target(
        "address.postal_code",
        Shape::Text,
        &["postal code", "post code", "zip code", "zip", "postnumber", "postcode"],
        &[],
    ),
    target("address.city", Shape::Text, &["city", "town", "poststed", "by"], &[]),
    target(
        "stamp",
        Shape::Instant,
        &[
            "last changed",
            "changed date",
            "date changed",
            "last mod time",
            "lastmodtime",
            "changed",
            "timestamp",
        ],
        &["created", "create"],
    ),
];

pub(super) const RECEIPT: &[Target] = &[
    target("id", Shape::Id, &["receipt id", "id", "uuid"], ELSEWHERE),
    target("number", Shape::Text, &["receipt number", "document number", "number"], &["order"]),
    target(
        "received_on",
        Shape::Day,
        &["received date", "receipt date", "received", "date"],
        &["changed", "created"],
    ),
    target(
        "stamp",
        Shape::Instant,
        &["last changed", "changed date", "date changed", "changed", "timestamp"],
        &["created", "create"],
    ),
];

pub(super) const RECEIPT_LINE: &[Target] = &[
    target("order", Shape::Text, &["order number", "ordernumber"], &["line"]),
    target("line_number", Shape::Text, &["order line number", "order line"], &["id"]),
    target("line_key", Shape::Text, &["order line id"], &[]),
    target("quantity", Shape::Number, &["received quantity", "quantity"], &["ordered"]),
    target("unit", Shape::Text, &["unit unit", "unit code", "unit"], &["price"]),
];
