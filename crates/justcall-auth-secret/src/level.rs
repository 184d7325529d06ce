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
