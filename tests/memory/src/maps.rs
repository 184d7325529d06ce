//! The mappings of a process's memory, as `/proc/PID/maps` lists them.

use std::fmt;
use std::io;

/// One mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// The first address.
    pub start: u64,
    /// The address after the last.
    pub end: u64,
    /// Such as `rw-p`.
    pub permissions: String,
    /// The name of a file without its folder, `[heap]`, or `anonymous`.
    pub name: String,
}

impl Map {
    /// Returns all mappings of a process.
    ///
    /// # Errors
    /// If there is no such process, or this process must not read its mappings.
    pub fn all(pid: u32) -> io::Result<Vec<Self>> {
        Ok(std::fs::read_to_string(format!("/proc/{pid}/maps"))?.lines().filter_map(Self::parse).collect())
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let permissions = words.next()?.to_owned();
        // Offset, device and file number.
        let mut path = words.skip(3);
        let path = path.next().unwrap_or("anonymous");
        Some(Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            permissions,
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
        })
    }

    /// Whether the mapping can be read and can hold data of the process. The kernel's pages for the clock cannot.
    pub fn is_readable(&self) -> bool {
        self.permissions.starts_with('r') && !self.name.starts_with("[vvar") && self.name != "[vsyscall]"
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.end - self.start
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.permissions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_the_kernels_lines() {
        let map =
            Map::parse("7f00a000-7f00b000 rw-s 00000000 00:01 12   /secretmem (deleted)").expect("a map");
        assert_eq!((map.start, map.size()), (0x7f00_a000, 4096));
        assert_eq!(map.to_string(), "secretmem rw-s");
        let map = Map::parse("7ffe0000-7ffe4000 r--p 00000000 00:00 0    [vvar]").expect("a map");
        assert!(!map.is_readable());
        let map = Map::parse("7ffe0000-7ffe4000 rw-p 00000000 00:00 0 ").expect("a map");
        assert!(map.is_readable() && map.name == "anonymous");
    }

    #[test]
    fn it_lists_this_process() {
        let maps = Map::all(std::process::id()).expect("a process may read its own mappings");
        assert!(maps.iter().any(|map| map.name == "[stack]" && map.is_readable()));
    }
}
