//! Which order line is shown to the person who must say what an invoice line bills.

use super::order_lines::bills;
use crate::laws::oracle::{dec, position};
use crate::matching::*;
use crate::procurement::InvoiceLine;

#[test]
fn the_best_fit_is_by_item_then_text_then_numbers() {
    type Change = fn(&mut InvoiceLine, &mut Position, &mut Position);
    // Which of two lines is shown to the person who must choose.
    let cases: &[(&str, Change, i64)] = &[
        ("nothing tells them apart: the first", |_, _, _| {}, 1),
        (
            "the item, against text and numbers",
            |l, one, two| {
                (l.item, l.description) = (Some("X-1".into()), "Kontorstol".into());
                (one.item, one.description) = (Some("X-2".into()), "Kontorstol".into());
                (two.item, two.price) = (Some("X-1".into()), None);
            },
            2,
        ),
        (
            "no item is not the same item",
            |l, _, two| {
                l.description = "Kontorstol".into();
                (two.item, two.description) = (Some("X-2".into()), "Kontorstol".into());
            },
            2,
        ),
        (
            "nearly the same text, against numbers",
            |l, _, two| {
                (l.description, two.description) = ("Kontorstol".into(), "Kontorstoll".into());
                (two.price, two.quantity) = (None, None);
            },
            2,
        ),
        ("the price", |_, one, _| one.price = None, 2),
        (
            "the price for its number of units",
            |l, one, _| {
                (l.unit_price, l.price_basis) = (Some(dec("10000")), Some(dec("100")));
                one.price = None;
            },
            2,
        ),
        (
            "no price is not the same price",
            |l, one, two| {
                l.unit_price = None;
                (one.price, one.quantity) = (None, None);
                two.quantity = l.quantity;
            },
            2,
        ),
        (
            "the quantity",
            |l, one, _| {
                l.quantity = Some(dec("10"));
                one.quantity = Some(dec("9"));
            },
            2,
        ),
        (
            "no quantity is not the same quantity",
            |l, one, _| {
                l.quantity = None;
                (one.quantity, one.price) = (None, None);
            },
            2,
        ),
        (
            "the price alone, against a text that is a little nearer",
            |l, one, two| {
                l.description = "Kontorstol".into();
                (one.description, two.description) = ("Kontormøbel".into(), "Bord".into());
                one.price = None;
            },
            2,
        ),
        (
            "of equals the nearer text",
            |l, one, two| {
                l.description = "Kontorstol".into();
                (one.description, two.description) = ("Bord".into(), "Kontormøbel".into());
            },
            2,
        ),
        (
            "of equals the nearer text, whichever comes first",
            |l, one, two| {
                l.description = "Kontorstol".into();
                (one.description, two.description) = ("Kontormøbel".into(), "Bord".into());
            },
            1,
        ),
    ];
    for (about, change, expected) in cases {
        let (mut line, _) = bills("Noe", None, None);
        let (mut one, mut two) = (position(), position());
        (one.line, two.line) = (1, 2);
        (one.description, two.description) = ("Stol".into(), "Stol".into());
        change(&mut line, &mut one, &mut two);
        for positions in [[&one, &two], [&two, &one]] {
            let found = best_fit(&line, &positions).map(|of| of.line);
            assert_eq!(found, Some(*expected), "{about}");
        }
    }
    assert!(best_fit(&bills("Stol", None, None).0, &[]).is_none());
}
