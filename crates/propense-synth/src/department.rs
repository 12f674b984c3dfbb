//! The shop's departments, imputed from product titles. The file of invoices has no categories.
//!
//! A list of departments with key words, read from the top: a product belongs to the first
//! department one of whose words or phrases its title holds. Occasions come before things, so that
//! a Christmas candle stands under Christmas.

/// Departments in the order in which they are tried, each with its key words. Plural and singular
/// are alike.
const DEPARTMENTS: [(&str, &str); 12] = [
    (
        "Christmas & Seasonal",
        "ADVENT, BAUBLE, CHRISTMAS, EASTER, HALLOWEEN, HOLLY, MISTLETOE, NOEL, REINDEER, \
         ROBIN, SANTA, SNOWFLAKE, SNOWMAN, STOCKING, WREATH, XMAS",
    ),
    (
        "Signs, Frames & Clocks",
        "BLACK BOARD, BUILDING BLOCK, CHALKBOARD, CLOCK, FRAME, MEMO BOARD, NOTICEBOARD, \
         PHOTO, PICTURE, SIGN, WALL ART",
    ),
    (
        "Bags & Purses",
        "AIRLINE BAG, BACKPACK, BOTTLE BAG, CHARLOTTE BAG, COSMETIC BAG, HANDBAG, JUMBO \
         BAG, LUGGAGE, LUNCH BAG, OVERNIGHT BAG, PEG BAG, PICNIC BAG, POUCH, PURSE, \
         RECYCLING BAG, RUCKSACK, SHOPPER, SHOULDER BAG, STORAGE BAG, TOTE, WALLET, WASHBAG",
    ),
    (
        "Party & Celebrations",
        "BALLOON, BUNTING, CAKE CASE, CHOPSTICK, COCKTAIL, CONFETTI, DISCO, DOILEY, \
         DOILIES, DOILY, GARLAND, HAPPY BIRTHDAY, NAPKIN, PAPER CHAIN, PAPER CUP, PAPER \
         PLATE, PARTY, PINATA, STRAW, WEDDING",
    ),
    (
        "Toys & Children",
        "ALPHABET BLOCK, BABY, BALL, CARD GAME, CHESS, CHILD, CHILDREN, CHILDRENS, CIRCUS, \
         CRAYON, DINOSAUR, DOLL, DOLLY GIRL, DOMINOES, DRAWING SLATE, FELTCRAFT, GAME, \
         GLIDER, HARMONICA, JIGSAW, KID, LUDO, LUNCH BOX, MARBLE, MONEY BANK, MONEY BOX, \
         MONSTER, PLAYHOUSE, PLAYING CARD, PUPPET, PUZZLE, RABBIT, SKIPPING, SKITTLE, \
         SNAKE, SNAP CARD, SOLDIER, SPACEBOY, SPINNING TOP, TEDDY, TOY, WINDMILL, YOYO",
    ),
    (
        "Stationery, Wrap & Craft",
        "BOOK, BUTTON, CALENDAR, CARD, CLIPBOARD, COLOURING, CRAFT, CROCHET, ENVELOPE, \
         ERASER, FELT, GIFT BAG, GIFT BOX, GIFT TAG, GIFT TAPE, INVITE, JOTTER, KNITTING, \
         MAGNET, MEMO, NOTEBOOK, NOTEPAD, ORGANISER, PAPER BAG, PASSPORT, PATCH, PEN, \
         PENCIL, PIN CUSHION, POSTCARD, RIBBON, RULER, SCISSOR, SEWING, SHARPENER, \
         SKETCHBOOK, STATIONERY, STICKER, STICKY, TAPE, TISSUE, WRAP, WRAPPING, WRITING",
    ),
    (
        "Jewellery & Wellbeing",
        "BAG CHARM, BATH, BRACELET, BROOCH, EARRING, HAIR, HAND WARMER, HOT WATER BOTTLE, \
         INCENSE, JEWELLERY, LAVENDER, LIP GLOSS, MANICURE, NECKLACE, PARASOL, PERFUME, \
         PHONE CHARM, PLASTER, RING, SCARF, SLIPPER, SOAP, SPONGE, TATTOO, UMBRELLA, WELLIE",
    ),
    (
        "Candles & Lighting",
        "CANDELABRA, CANDLE, CANDLEHOLDER, CANDLESTICK, CHANDELIER, LAMP, LAMPSHADE, \
         LANTERN, LED, LIGHT, SUNJAR, TEALIGHT, TORCH, VOTIVE",
    ),
    (
        "Garden & Outdoors",
        "BEACH, BIRD BOX, BIRD FEEDER, BIRDHOUSE, BUCKET, DECKCHAIR, FLOWER POT, FLOWERPOT, \
         GARDEN, GARDENER, GROW, HERB MARKER, KNEELING, PLANT, PLANTER, SEASIDE, SEED, \
         SPADE, THERMOMETER, VASE, WATERING, WIND CHIME",
    ),
    (
        "Kitchen & Baking",
        "APRON, BAKE, BAKING, BISCUIT, BREAD, BUTTER, CAKE, CAKESTAND, CHOPPING, COLANDER, \
         COOKIE, COOKING, CUTTER, FLOUR, FOOD, FUNNEL, HERB, JAM, JAR, JELLY, KITCHEN, \
         LADLE, MEASURING, MOULD, MUFFIN, OVEN, PANTRY, POPCORN, RECIPE, ROLLING PIN, SALT, \
         SCALE, SPATULA, SPICE, SUGAR, TEA TOWEL, TIMER, WASHING UP, WHISK",
    ),
    (
        "Tea & Tableware",
        "BEAKER, BOTTLE, BOWL, COASTER, COFFEE, CROCKERY, CUP, CUTLERY, DECANTER, DISH, \
         EGG, FLASK, FORK, GOBLET, JUG, KNIFE, MUG, PICNIC, PITCHER, PLACEMAT, PLATE, \
         PLATTER, SAUCER, SNACK, SPOON, TABLECLOTH, TEA, TEACUP, TEAPOT, TEASPOON, TRAY, \
         TRIVET, TUMBLER, WINE",
    ),
    (
        "Storage & Furniture",
        "BASKET, BIN, BOX, BOXES, CABINET, CHEST, COATHANGER, CRATE, DRAWER, HANGER, \
         HOLDER, HOOK, KNOB, RACK, SHELF, STAND, STOOL, STORAGE, TABLE, TIDY, TIN, TROLLEY, \
         TRUNK, WARDROBE",
    ),
];

/// The department of everything that no key word claims.
const REST: &str = "Home & Decoration";

/// The department of the product with this title.
pub(crate) fn department(title: &str) -> &'static str {
    let title = normalise(title);
    DEPARTMENTS
        .iter()
        .find(|(_, words)| {
            let mut words = words.split(',');
            words.any(|word| title.contains(&normalise(word)))
        })
        .map_or(REST, |(name, _)| name)
}

/// Words in capitals, without plural ending, each between single spaces.
fn normalise(text: &str) -> String {
    let mut normal = String::from(" ");
    for word in text.to_uppercase().split(|c: char| !c.is_alphanumeric()) {
        let stem = match word.strip_suffix('S') {
            Some(stem) if stem.len() > 2 && !stem.ends_with('S') => stem,
            _ => word,
        };
        if !stem.is_empty() {
            normal.push_str(stem);
            normal.push(' ');
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn titles_stand_where_a_shop_would_put_them() {
        for (title, expected) in [
            ("WHITE HANGING HEART T-LIGHT HOLDER", "Candles & Lighting"),
            (
                "SET OF 2 CHRISTMAS DECOUPAGE CANDLE",
                "Christmas & Seasonal",
            ),
            ("JUMBO BAG RED RETROSPOT", "Bags & Purses"),
            ("REGENCY CAKESTAND 3 TIER", "Kitchen & Baking"),
            ("PARTY BUNTING", "Party & Celebrations"),
            ("SPACEBOY LUNCH BOX", "Toys & Children"),
            ("ROUND SNACK BOXES SET OF4 WOODLAND", "Tea & Tableware"),
            ("SET OF 6 T-LIGHTS SANTA", "Christmas & Seasonal"),
            (
                "WOODEN PICTURE FRAME WHITE FINISH",
                "Signs, Frames & Clocks",
            ),
            ("JUMBO BAG DOILEY PATTERNS", "Bags & Purses"),
            ("HANGING JAM JAR T-LIGHT HOLDER", "Candles & Lighting"),
            ("RED RETROSPOT OVEN GLOVE", "Kitchen & Baking"),
            ("HEART OF WICKER SMALL", "Home & Decoration"),
            ("ENGLISH ROSE NOTEBOOK A7 SIZE", "Stationery, Wrap & Craft"),
            ("", "Home & Decoration"),
        ] {
            assert_eq!(department(title), expected, "{title}");
        }
    }

    #[test]
    fn every_department_can_be_reached() {
        let reached: BTreeSet<_> = DEPARTMENTS
            .iter()
            .flat_map(|(_, words)| words.split(',').map(department))
            .collect();
        assert_eq!(reached.len(), DEPARTMENTS.len());
    }
}
