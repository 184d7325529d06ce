//! Finds the mentions of JustCall and of other services in a text. A secret whose name does not name a service belongs to the
//! nearest mention.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::name::Name;
use crate::table;

/// The largest distance between a mention and a value, in bytes.
pub(crate) const REACH: usize = 4096;

/// Other services with keys and secrets, which programs use together with JustCall.
const OTHERS: &[&str] = &[
    "hubspot",
    "stripe",
    "twilio",
    "zendesk",
    "slack",
    "pusher",
    "mailgun",
    "sendgrid",
    "salesforce",
    "pipedrive",
    "intercom",
    "zoho",
    "shopify",
    "plivo",
    "vonage",
    "nexmo",
    "aircall",
    "dialpad",
    "ringcentral",
    "calendly",
    "mailchimp",
    "paypal",
    "square",
    "razorpay",
    "supabase",
    "firebase",
    "auth0",
    "okta",
    "cloudinary",
    "algolia",
    "segment",
    "mixpanel",
    "facebook",
    "twitter",
    "linkedin",
    "dropbox",
    "bitbucket",
    "openai",
    "anthropic",
    "telegram",
    "discord",
    "typeform",
    "airtable",
    "freshdesk",
    "activecampaign",
    "klaviyo",
];

static OTHER_SERVICES: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(OTHERS)
        .expect("a few short words build an automaton")
});

/// Finds the mentions of JustCall in `text`, in the spellings of its name and its variables: `JustCall`, `JUST_CALL`, `just-call`.
pub(crate) fn mentions(text: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr2_iter(b'j', b'J', text).filter(|at| is_mention(&text[*at..]))
}

/// Whether `text` mentions JustCall.
pub(crate) fn is_mentioned(text: &[u8]) -> bool {
    mentions(text).next().is_some()
}

fn is_mention(text: &[u8]) -> bool {
    let begins =
        |text: &[u8], word: &[u8]| text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word);
    let Some(rest) = text.get(4..).filter(|_| begins(text, b"just")) else { return false };
    begins(rest, b"call") || matches!(rest.first(), Some(b'_' | b'-')) && begins(&rest[1..], b"call")
}

/// The mentions in one text, in their order.
#[derive(Debug)]
pub(crate) struct Marks<'a> {
    text: &'a [u8],
    mentions: Vec<usize>,
    is_in_path: bool,
    /// Whether a value in any part of the text may belong to JustCall, because the path or the columns of a table name it.
    is_whole: bool,
    /// The mentions of other services, by the block of [`REACH`] bytes in which they begin. A block is searched once, on
    /// demand.
    others: Vec<OnceCell<Vec<Range<usize>>>>,
}

impl<'a> Marks<'a> {
    /// Finds the mentions in `text` with the path `path`. Returns `None` if neither mentions JustCall.
    pub fn of(text: &'a [u8], path: &str) -> Option<Self> {
        let is_in_path = is_mentioned(path.as_bytes());
        let mentions: Vec<usize> = mentions(text).collect();
        (is_in_path || !mentions.is_empty()).then_some(Self {
            text,
            mentions,
            is_in_path,
            is_whole: is_in_path || table::begins_with_ours(text),
            others: vec![OnceCell::new(); text.len().div_ceil(REACH)],
        })
    }

    /// Returns the parts of the text in which a value may belong to JustCall.
    pub fn ranges(&self) -> Vec<Range<usize>> {
        if self.is_whole {
            let whole = 0..self.text.len();
            return vec![whole];
        }
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for at in &self.mentions {
            let near = at.saturating_sub(REACH)..(at + REACH).min(self.text.len());
            match ranges.last_mut() {
                Some(last) if near.start <= last.end => last.end = near.end,
                _ => ranges.push(near),
            }
        }
        ranges
    }

    /// Whether a value at `at` belongs to JustCall. The mentions before it decide, else those after it, else the path.
    pub fn are_ours(&self, at: usize) -> bool {
        let before = self.before(at, REACH);
        let from = before.unwrap_or(at.saturating_sub(REACH));
        match (before, self.others(from..at).next_back()) {
            (Some(_), None) => return true,
            // A mention of another service only counts in its paragraph.
            (_, Some(other)) if !has_empty_line(&self.text[other.start..at]) => return false,
            _ => {}
        }
        let next = self.mentions.get(self.mentions.partition_point(|mention| *mention < at));
        let next = next.copied().filter(|next| next - at <= REACH);
        let to = next.unwrap_or(self.text.len().min(at + REACH));
        if self.others(at..to).next().is_some() {
            return false;
        }
        next.is_some() || before.is_some() || self.is_in_path
    }

    /// Whether JustCall is mentioned within `distance` bytes before `at`, and no other service after that mention.
    pub fn are_close_before(&self, at: usize, distance: usize) -> bool {
        self.before(at, distance).is_some_and(|mention| self.others(mention..at).next().is_none())
    }

    /// Returns the mentions of other services within `range`, in their order.
    fn others(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = &Range<usize>> {
        let blocks = range.start / REACH..range.end.div_ceil(REACH);
        let found = blocks.flat_map(|block| self.others[block].get_or_init(|| self.named_in(block)));
        found.filter(move |other| range.start <= other.start && other.end <= range.end)
    }

    /// Searches a block for mentions of other services.
    fn named_in(&self, block: usize) -> Vec<Range<usize>> {
        let begin = block * REACH;
        let end = begin + REACH;
        let text = &self.text[begin..self.text.len().min(end + OTHER_SERVICES.max_pattern_len())];
        let named = OTHER_SERVICES.find_iter(text).map(|found| begin + found.start()..begin + found.end());
        named.take_while(|other| other.start < end).collect()
    }

    /// Returns the last mention before `at` that is at most `distance` bytes away.
    fn before(&self, at: usize, distance: usize) -> Option<usize> {
        let next = self.mentions.partition_point(|mention| *mention < at);
        self.mentions[..next].last().copied().filter(|mention| at - mention <= distance)
    }
}

fn has_empty_line(text: &[u8]) -> bool {
    [&b"\n\n"[..], b"\r\n\r\n"].iter().any(|empty| memchr::memmem::find(text, empty).is_some())
}

/// Returns the name in the path of a file that holds only a value, such as a mounted secret.
pub(crate) fn name_of_file(path: &str) -> Option<Name> {
    let mut parts = path.rsplit(['/', '\\']);
    let name = Name::of(parts.next()?.trim_end_matches(".txt"))?;
    let is_ours = name.is_ours || parts.next().is_some_and(|folder| is_mentioned(folder.as_bytes()));
    Some(Name { is_ours, ..name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_recognizes_the_spellings_of_the_service() {
        for text in ["justcall", "JUSTCALL_KEY", "Just_Call", "api.JustCall.io", "just-call"] {
            assert!(is_mentioned(text.as_bytes()), "{text}");
        }
        for text in ["", "j", "just", "just a call", "adjust callback", "justice"] {
            assert!(!is_mentioned(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn it_attributes_a_value_to_the_service_that_was_mentioned_last() {
        let text = b"justcall: 1 slack: 2\n\n3 https://api.justcall.io 4";
        let marks = Marks::of(text, "a.txt").expect("JustCall is mentioned");
        let at = |digit: u8| text.iter().position(|byte| *byte == digit).expect("the digit is in the text");
        let ours: Vec<bool> = (b'1'..=b'4').map(|digit| marks.are_ours(at(digit))).collect();
        assert_eq!(ours, [true, false, true, true]);
        assert!(Marks::of(b"slack", "a.txt").is_none());
        assert!(Marks::of(b"slack", "justcall/a.txt").is_some());
    }

    #[test]
    fn it_finds_another_service_across_the_end_of_a_block() {
        for name_at in REACH - "slack".len() - 1..=REACH + 1 {
            let text = format!("{:<100}{:<rest$}slack: ", "", "justcall: ", rest = name_at - 100);
            let is_ours = |text: &str| {
                Marks::of(text.as_bytes(), "a.txt").expect("JustCall is mentioned").are_ours(text.len())
            };
            assert!(!is_ours(&text), "at {name_at}");
            assert!(is_ours(&text.replace("slack", "other")), "control, at {name_at}");
        }
    }
}
