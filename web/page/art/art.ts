// The picture of a product: a drawing chosen by its name, in its name's colours and pattern. There are
// no photographs in the data, so the page draws; the same product always gets the same picture.

import { homeMotifs, type Motif } from "./motifs-home.js";
import { playMotifs } from "./motifs-play.js";
import { tableMotifs } from "./motifs-table.js";
import { hash, paletteOf, patternOf } from "./palette.js";

const MOTIFS = { ...homeMotifs, ...tableMotifs, ...playMotifs };
type MotifName = keyof typeof MOTIFS;

// First match wins, so the particular stands before the general.
const BY_NAME: ReadonlyArray<readonly [RegExp, MotifName]> = [
  [/HEART OF WICKER/, "heart"],
  [/HOT WATER BOTTLE/, "hotWaterBottle"],
  [/LUNCH BOX|SNACK BOX|BENTO/, "lunchBox"],
  [/LUNCH BAG|CHARLOTTE BAG|PICNIC BAG|COOL BAG|WASHBAG|CHILDS? .*BAG/, "lunchBag"],
  [/MARBLES/, "puzzle"],
  [/\bBAGS?\b|SHOPPER|TOTE|RUCKSACK|BACKPACK/, "shopper"],
  [/CAKE ?STAND/, "cakestand"],
  [/CAKE CASE|BAKING CASE|FAIRY CAKE|CUP ?CAKE|MUFFIN/, "cakeCase"],
  [/CAKE TIN|BISCUIT TIN|CAKETIN/, "cakeTin"],
  [/TEA ?POT/, "teapot"],
  [/TEA ?CUP|CUP AND SAUCER|CUP & SAUCER|COFFEE SET|TEA SET|TEA FOR ONE/, "teacup"],
  [/\bMUGS?\b|\bJUGS?\b|BEAKER|TUMBLER|\bCUPS?\b(?!CAKE)(?<!EGG CUP)(?<!EGG CUPS)/, "mug"],
  [/EGG ?CUP/, "eggCup"],
  [/T-?LIGHT|TEALIGHT|VOTIVE|CANDLE ?HOLDER/, "tLight"],
  [/LANTERN/, "lantern"],
  [/RABBIT|BUNNY/, "rabbit"],
  [/NIGHT LIGHT|\bLAMP\b|TOADSTOOL/, "nightLight"],
  [/\bLIGHTS\b|FAIRY LIGHT|LIGHT GARLAND/, "fairyLights"],
  [/CANDLE|INCENSE|OIL BURNER/, "candle"],
  [/JAR\b|JARS\b|JAM\b|CHUTNEY/, "jar"],
  [/BOTTLE|PERFUME|DECANTER|VASE/, "bottle"],
  [/BUNTING|GARLAND|PAPER CHAIN|STREAMER/, "bunting"],
  [/CHALKBOARD|BLACKBOARD|NOTICEBOARD|MEMO ?BOARD|SLATE/, "chalkboard"],
  [/\bSIGN\b|PLAQUE|METAL SIGN|DOOR HANGER|\bNUMBER TILE/, "sign"],
  [/CLOCK|TIMER/, "clock"],
  [/MIRROR/, "mirror"],
  [/FRAME|PICTURE|WALL ART|CANVAS|POSTER/, "frame"],
  [/UMBRELLA|PARASOL/, "umbrella"],
  [/DOORMAT|DOOR MAT|\bRUG\b|\bMAT\b/, "doormat"],
  [/CUSHION|PILLOW|THROW|BLANKET|QUILT|BEANBAG|DOORSTOP|DOOR STOP|DRAUGHT/, "cushion"],
  [/PLASTERS/, "plasters"],
  [/TISSUES|POCKET TISSUE/, "tissues"],
  [/NAPKIN|SERVIETTE|DOIL/, "napkins"],
  [/WRAP\b|TISSUE PAPER|GIFT ?PAPER|GIFT TAPE|\bTAPE\b/, "wrap"],
  [/RIBBON|\bLACE\b|TRIM\b|STRING|TWINE/, "ribbon"],
  [/PURSE|COIN/, "purse"],
  [/WALLET|CARD HOLDER|PASSPORT|LUGGAGE/, "wallet"],
  [/PLAYING CARD|SNAP CARD|DOMINO|JIGSAW|PUZZLE|SUDOKU|BINGO|LUDO|GAME|BLOCK/, "puzzle"],
  [/NOTEBOOK|\bBOOK\b|JOURNAL|DIARY|ALBUM|PAD\b|ORGANISER|STICKER|RECIPE BOX/, "book"],
  [/SCISSOR/, "scissors"],
  [/PENCIL|\bPENS?\b|CRAYON|CHALK|ERASER|RUBBER|PAINT SET|DRAWING|SHARPENER|STATIONERY|SKETCH/, "pencils"],
  [/\bCARDS?\b|ENVELOPE|INVITE|POSTCARD|GIFT TAG|\bTAGS\b/, "card"],
  [/SEWING|THREAD|KNITTING|\bREEL\b|NEEDLE|TAPE MEASURE/, "sewing"],
  [/FELT ?CRAFT|FELT|CRAFT|PATCH|BUTTON|BADGE|BROOCH|MAGNETIC/, "button"],
  [/NECKLACE|BRACELET|EARRING|BANGLE|PENDANT|CHARM|\bRING\b|JEWEL|HAIR ?(CLIP|BAND|SLIDE|GRIP)|KEY ?RING|KEY ?FOB|LIP ?GLOSS/, "necklace"],
  [/MAGNET/, "magnet"],
  [/GLIDER|KITE|PLANE|WINDMILL/, "glider"],
  [/ROCKET|SPACE ?BOY(?!.*(BOX|BAG|CARD|WRAP))/, "rocket"],
  [/\bDOLL\b|DOLLY|PARADE|SOLDIER|TEDDY|BEAR\b|CHILDREN/, "doll"],
  [/SPINNING|SKIPPING|\bTOY|HARMONICA|TRADITIONAL|YO-?YO|CATCH|WHISTLE|RACING|SKITTLES|TATTOO|MOBILE|MASK/, "toy"],
  [/BALLOON|PARTY|PIÑATA|PINATA|CONE|LEIS/, "balloons"],
  [/CHRISTMAS TREE|XMAS TREE|ADVENT|REINDEER|\bTREE\b/, "tree"],
  [/CHRISTMAS|XMAS|BAUBLE|SNOW|SANTA|ANGEL|\bBELL/, "bauble"],
  [/\bSTARS?\b/, "star"],
  [/EASTER|\bEGGS?\b/, "egg"],
  [/PLATE|SAUCER|\bTRAY|COASTER|PLACEMAT|PLACE MAT|PLACE SETTING/, "plate"],
  [/BOWL|DISH|COLANDER|SIEVE|MOULD/, "bowl"],
  [/CUTLERY|\bFORK|\bKNIFE|SPOON|STRAWS?\b|CHOPSTICK/, "cutlery"],
  [/CUTTER|GINGERBREAD|COOKIE/, "cutter"],
  [/WHISK|BAKING|MEASURING|SCALES|ROLLING|KITCHEN|UTENSIL|BREAD|TOAST|SPICE|GRINDER/, "whisk"],
  [/TEA ?TOWEL|TOWEL|FLANNEL|OVEN GLOVE|TABLE ?CLOTH|HANDKERCHIEF|RUNNER/, "towel"],
  [/APRON/, "apron"],
  [/HANGER/, "hanger"],
  [/\bHOOK|COAT RACK|\bRACK\b|PEGS?\b/, "hook"],
  [/KNOB|HANDLE/, "knob"],
  [/CABINET|DRAWER|CHEST|CUPBOARD|SHELF|STORAGE BOX|\bSTOOL|TABLE|CHAIR|STAND\b/, "drawers"],
  [/WATERING/, "wateringCan"],
  [/PLANT|HERB|\bPOTS?\b|\bGROW|SEED|BUCKET|PLANTER|TROWEL|GARDEN/, "plantPot"],
  [/BASKET|WICKER|CRATE|TRUG|HAMPER/, "basket"],
  [/BIRD|OWL|ROBIN|DOVE|\bHEN\b|CHICK|COCKEREL|DUCK|FEEDER|PARROT/, "bird"],
  [/HEART/, "heart"],
  [/HOUSE|COTTAGE|\bHOME\b/, "house"],
  [/FLOWER|ROSE|DAISY|LAVENDER|SUNFLOWER|TULIP|BUTTERFLY|\bFAN\b/, "flower"],
  [/\bTINS?\b|CANISTER/, "cakeTin"],
];

const VIEW = "0 0 100 100";
let count = 0;

/** What a product is drawn as. */
export function motifOf(name: string): MotifName {
  return BY_NAME.find(([words]) => words.test(name))?.[1] ?? "gift";
}

/** Which of the ten background tints a product's picture stands on (a class of the style sheet). */
export function tintOf(id: string): string {
  return `tint-${hash(id, 10)}`;
}

/**
 * The drawing of a product as an SVG element without a background. Decorative: the name stands beside
 * it everywhere, so it is hidden from assistive technology.
 */
export function drawProduct(id: string, name: string): SVGSVGElement {
  const capitals = name.toUpperCase();
  const colours = paletteOf(capitals, id);
  const pattern = patternOf(capitals, colours);
  const motif: Motif = MOTIFS[motifOf(capitals)];
  // The same product may stand on the page twice: a pattern's id must be unique to its drawing.
  count += 1;
  const patternId = `weave-${count}`;
  const defs = pattern === undefined ? "" : `<defs><pattern id="${patternId}" patternUnits="userSpaceOnUse" ${pattern}</pattern></defs>`;
  const surface = pattern === undefined ? colours.a : `url(#${patternId})`;
  const template = document.createElement("template");
  // Only this file's own strings and colours go in here, never a product's text.
  template.innerHTML =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${VIEW}" aria-hidden="true" focusable="false" class="art">${defs}` +
    `<ellipse cx="50" cy="89" rx="34" ry="4" fill="#2b1f2e" opacity=".1"/>${motif(colours, surface)}</svg>`;
  const svg = template.content.firstElementChild;
  if (!(svg instanceof SVGSVGElement)) {
    throw new TypeError("The drawing is not an SVG element.");
  }
  return svg;
}
