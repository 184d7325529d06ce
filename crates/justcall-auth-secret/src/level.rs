//! Protection levels of a secret in memory: the level requested and the protection obtained.

/// The protection requested for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Level {
    /// Locked pages. If the system refuses them: the heap, and the reason is reported.
    #[default]
    Auto,
    /// Locked pages, or an error.
    Strict,
    /// The heap: wiped when freed, without further protection.
    Heap,
    /// `memfd_secret`, or an error. Linux refuses to hibernate while any process has such memory.
    SecretMem,
}

/// The protection that a secret has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Locked pages between guard pages, excluded from core dumps, with encrypted content.
    Locked,
    /// Pages that only this process can read; not even the kernel can.
    SecretMem,
    /// The heap: wiped when freed, without further protection.
    Heap,
}

impl Level {
    /// All levels, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Strict, Self::Heap, Self::SecretMem];

    /// Returns `auto`, `strict`, `heap` or `secretmem`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Strict => "strict",
            Self::Heap => "heap",
            Self::SecretMem => "secretmem",
        }
    }

    /// Returns the level with this name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl Protection {
    /// Returns `locked`, `secretmem` or `heap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::SecretMem => "secretmem",
            Self::Heap => "heap",
        }
    }
}

/// The system refused the requested memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The protection requested.
    pub asked: Protection,
    /// The reason, as text for people.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_every_level_and_finds_it_by_its_name() {
        assert_eq!(Level::ALL.map(Level::name), ["auto", "strict", "heap", "secretmem"]);
        assert_eq!(Level::ALL.map(|level| Level::from_name(level.name())), Level::ALL.map(Some));
        for unknown in ["", "Auto", "auto ", "locked"] {
            assert_eq!(Level::from_name(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn it_names_every_protection() {
        let all = [Protection::Locked, Protection::SecretMem, Protection::Heap];
        assert_eq!(all.map(Protection::name), ["locked", "secretmem", "heap"]);
    }
}
