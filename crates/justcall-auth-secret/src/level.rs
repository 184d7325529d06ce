//! How well a secret is protected while it rests, and what was obtained of what was asked.

/// What is asked of the memory that keeps secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Level {
    /// Locked pages; where the system refuses them, the heap, with a report that says why.
    #[default]
    Auto,
    /// Locked pages, else an error.
    Strict,
    /// The heap: wiped when freed, and no more.
    Heap,
    /// `memfd_secret`, else an error. While a process has such memory, Linux refuses to hibernate.
    SecretMem,
}

/// What keeps a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Pages between guard pages, locked into memory, left out of core dumps, encrypted while they rest.
    Locked,
    /// Pages that nobody but this process can read, not even the kernel.
    SecretMem,
    /// The heap: wiped when freed, and no more.
    Heap,
}

impl Level {
    /// Every level, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Strict, Self::Heap, Self::SecretMem];

    /// `auto`, `strict`, `heap` or `secretmem`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Strict => "strict",
            Self::Heap => "heap",
            Self::SecretMem => "secretmem",
        }
    }

    /// The level called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl Protection {
    /// `locked`, `secretmem` or `heap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::SecretMem => "secretmem",
            Self::Heap => "heap",
        }
    }
}

/// The system refuses the memory that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What was asked for.
    pub asked: Protection,
    /// Why not, in words.
    pub why: String,
}
