//! Texts made from bytes, so that a fuzzer that mutates bytes reaches what tokenizers stumble over.
//!
//! A quarter of the texts are the bytes themselves, with U+FFFD where they are not UTF-8. The
//! others are recipes: each pair of bytes says which snippet comes next and how often, or which
//! character of which part of Unicode.

/// Longest text in bytes: the time of the reference is quadratic in the length of a piece.
const MOST: usize = 3000;

/// Ranges of Unicode: first character and number of characters.
const STRETCHES: [(u32, u32); 28] = [
    (0x20, 95),
    (0x61, 26),
    (0x41, 26),
    (0x30, 10),
    (0x09, 5),
    (0xa0, 352),
    (0x300, 112),
    (0x370, 144),
    (0x400, 256),
    (0x590, 368),
    (0x900, 128),
    (0xe00, 128),
    (0x1100, 256),
    (0x1d00, 192),
    (0x1e00, 512),
    (0x2000, 112),
    (0x2100, 80),
    (0x3000, 256),
    (0x3400, 400),
    (0x4e00, 20_992),
    (0xac00, 11_172),
    (0xf900, 512),
    (0xfe00, 512),
    (0x1d100, 256),
    (0x1f300, 1536),
    (0x20000, 40_000),
    (0xe0000, 256),
    (0, 0x110000),
];

const SNIPPETS: &[&str] = &[
    "the",
    " world",
    "Hello",
    "don't",
    "I'LL",
    "we've",
    "'s",
    "'\u{17f}",
    "''d",
    "na\u{ef}ve",
    "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}",
    "\u{901a}\u{4e49}\u{5343}\u{95ee}",
    "\u{5177}\u{6709}\u{5f3a}\u{5927}\u{7684}\u{80fd}\u{529b}",
    "\u{65e5}\u{672c}\u{8a9e}",
    "\u{30ab}\u{30bf}\u{30ab}\u{30ca}",
    "\u{3072}\u{3089}\u{304c}\u{306a}",
    "\u{d55c}\u{ad6d}\u{c5b4}",
    "\u{e17}\u{e35}\u{e48}",
    "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
    "1",
    "2024",
    "3.14",
    "\u{ff13}",
    "\u{bd}",
    ".",
    "...",
    "!?",
    "()",
    "=>",
    "==",
    "://",
    "--",
    "\u{3002}",
    "\u{300c}",
    "\u{2014}",
    "$",
    "_",
    "#",
    "def f(x):",
    "</div>",
    "<|im_start|>",
    "<|im_end|>\u{338}",
    " ",
    "  ",
    "   ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    " \n",
    "\n ",
    "\u{b}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{3000}",
    ";\n",
    ".\r\n\r\n",
    "/\n",
    "e\u{301}",
    "a\u{323}\u{301}",
    "\u{301}",
    "=\u{338}",
    "\u{1100}\u{1161}\u{11a8}",
    " \u{d55c}", // with what follows, in its composed form, one token
    "\u{1100}\u{116e}\u{11a8}",
    "\u{ac00}\u{11a8}",
    "\u{344}",
    "\u{212b}",
    "\u{fa10}",
    "\u{958}",
    "\u{304b}\u{3099}",
    "\u{1d160}",
    "\u{1f469}\u{200d}\u{1f467}",
    "\u{1f1e8}\u{1f1f3}",
    "\u{263a}\u{fe0f}",
    "\u{200b}",
    "\u{feff}",
    "\0",
    "\u{7f}",
    "\u{1c}",
    "\u{e000}",
    "\u{fffd}",
    "\u{378}",
    "\u{10ffff}",
    "xX",
    "iPhone",
    "HTTPServer",
    "aaaaaaaa",
    "        ",
    "internationalization",
    "abcdefghijklmnopqrstuvwxyz",
];

/// The text that `data` makes; any bytes make one.
pub fn text_of(data: &[u8]) -> String {
    let Some((kind, rest)) = data.split_first() else { return String::new() };
    if kind % 4 == 0 {
        return String::from_utf8_lossy(rest).chars().take(MOST / 4).collect();
    }
    let mut text = String::new();
    for pair in rest.chunks_exact(2) {
        let before = text.len();
        add(&mut text, pair[0], pair[1]);
        if text.len() > MOST {
            text.truncate(before);
            break;
        }
    }
    text
}

fn add(text: &mut String, choice: u8, byte: u8) {
    let choice = usize::from(choice);
    if let Some(snippet) = SNIPPETS.get(choice) {
        // Mostly once; sometimes a few times; sometimes so often that a piece is too long for the
        // caches.
        let times = match byte {
            0..200 => 1,
            200..250 => usize::from(byte) - 198,
            _ => 1 << (byte - 244),
        };
        return text.extend(std::iter::repeat_n(*snippet, times));
    }
    let (first, length) = STRETCHES[choice % STRETCHES.len()];
    let place = (u32::from(byte) * 0x9e37 + choice as u32 * 0x79b9) % length;
    text.extend(char::from_u32(first + place));
}
