//! Product titles for people: the file shouts and abbreviates, a shop page should not.

/// Words that stay small unless they come first.
const SMALL: [&str; 15] = [
    "a", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with", "no", "per",
];

/// Words that stay in capitals.
const CAPITALS: [&str; 14] = [
    "A4", "A5", "A6", "A7", "CD", "DIY", "IPOD", "LED", "NYC", "TV", "UK", "USA", "USB", "XL",
];

/// The words of the title as they are, in title case, with single spaces and without loose
/// punctuation at the ends.
pub(crate) fn tidy(title: &str) -> String {
    let mut tidied = String::with_capacity(title.len());
    let trimmed = title.trim_matches(|c: char| c.is_whitespace() || ".,*;:-".contains(c));
    for word in trimmed.split_whitespace() {
        // The file puts spaces before commas.
        let comma = word.starts_with(',');
        if !tidied.is_empty() && !comma {
            tidied.push(' ');
        }
        if comma && word.len() > 1 {
            tidied.push_str(", ");
        } else if comma {
            tidied.push(',');
        }
        let first = tidied.is_empty();
        let word = word.trim_start_matches(',');
        push_word(&mut tidied, word, first);
    }
    tidied
}

fn push_word(out: &mut String, word: &str, first: bool) {
    let lower = word.to_lowercase();
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    if CAPITALS.contains(&bare.to_uppercase().as_str()) {
        out.push_str(&word.to_uppercase());
    } else if !first && SMALL.contains(&lower.as_str()) {
        out.push_str(&lower);
    } else if word.starts_with(|c: char| c.is_ascii_digit()) && !word.contains(['/', '-']) {
        // Measures and decades: 125g, 25x24x12cm, 50's.
        out.push_str(&lower);
    } else {
        let mut start = true;
        for c in lower.chars() {
            if start && c.is_alphabetic() {
                out.extend(c.to_uppercase());
            } else {
                out.push(c);
            }
            start = !(c.is_alphanumeric() || c == '\'');
        }
    }
}

/// Whether the title names a product. Notes of the stock room ("damaged", "?", "wrong barcode")
/// are in small letters, or hold a question mark, or are empty.
pub(crate) fn names_a_product(title: &str) -> bool {
    const NOTES: [&str; 9] = [
        "ADJUST", "AMAZON", "CHECK", "DAMAGE", "EBAY", "POSTAGE", "SAMPLE", "THROWN", "VOUCHER",
    ];
    let letters = title.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = title.chars().filter(|c| c.is_uppercase()).count();
    let shouted = title.to_uppercase();
    letters >= 4
        && capitals * 2 > letters
        && !title.contains('?')
        && !shouted.split(|c: char| !c.is_alphabetic()).any(|word| {
            NOTES
                .iter()
                .any(|note| word.starts_with(note) && word != "CHECKED")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_readable_and_keep_their_words() {
        for (title, expected) in [
            (
                "WHITE HANGING HEART T-LIGHT HOLDER",
                "White Hanging Heart T-Light Holder",
            ),
            (
                "SET OF 3 CAKE TINS PANTRY DESIGN ",
                "Set of 3 Cake Tins Pantry Design",
            ),
            ("JUMBO BAG 50'S CHRISTMAS ", "Jumbo Bag 50's Christmas"),
            (
                "SET/10 RED POLKADOT PARTY CANDLES",
                "Set/10 Red Polkadot Party Candles",
            ),
            (
                "BLACK/BLUE POLKADOT UMBRELLA",
                "Black/Blue Polkadot Umbrella",
            ),
            ("KEY FOB , SHED", "Key Fob, Shed"),
            (
                "HOOK, 1 HANGER ,MAGIC GARDEN",
                "Hook, 1 Hanger, Magic Garden",
            ),
            (
                "ENGLISH ROSE NOTEBOOK A7 SIZE",
                "English Rose Notebook A7 Size",
            ),
            ("BAG 125g SWIRLY MARBLES", "Bag 125g Swirly Marbles"),
            (
                "SKULLS  WATER TRANSFER TATTOOS ",
                "Skulls Water Transfer Tattoos",
            ),
            (
                "THE KING GIFT BAG 25x24x12cm",
                "The King Gift Bag 25x24x12cm",
            ),
            (
                "LADIES' CHILD'S (SMALL) BAG.",
                "Ladies' Child's (Small) Bag",
            ),
            ("", ""),
        ] {
            assert_eq!(tidy(title), expected);
        }
    }

    #[test]
    fn notes_of_the_stock_room_are_no_products() {
        for note in [
            "",
            "?",
            "damages?",
            "Manual",
            "wrongly sold as sets",
            "DAMAGED",
            "POSTAGE",
        ] {
            assert!(!names_a_product(note), "{note}");
        }
        for product in ["CREAM CUPID HEARTS COAT HANGER", "BAG 125g SWIRLY MARBLES"] {
            assert!(names_a_product(product), "{product}");
        }
    }
}
