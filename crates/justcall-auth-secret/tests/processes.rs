//! Secrets in children of `fork()`, and processes without the right to lock memory.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, missing_docs)]

use std::io::{Read as _, Write as _};
use std::mem::ManuallyDrop;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use justcall_auth_secret::{Level, Protection, Secret, scrub_variable};

const PLAIN: &[u8] = b"abc123def456:sec789xyz000";
const LEVELS: [Level; 4] = [Level::Auto, Level::Strict, Level::Heap, Level::SecretMem];

/// Runs `body` in a child. Returns its exit code, or the negated signal that killed it.
fn in_child(body: impl FnOnce() -> bool) -> i32 {
    wait_for(start_child(body))
}

fn start_child(body: impl FnOnce() -> bool) -> libc::pid_t {
    // SAFETY: the child only runs `body` and exits without unwinding or running the parent's exit handlers.
    match unsafe { libc::fork() } {
        0 => {
            // A child that hangs fails the test instead of blocking it.
            // SAFETY: plain system calls.
            unsafe { libc::alarm(60) };
            let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(false);
            // SAFETY: `_exit` runs no exit handler of the parent.
            unsafe { libc::_exit(i32::from(!passed)) }
        }
        child => child,
    }
}

fn wait_for(child: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: each child is awaited once, by the process that forked it; the status is writable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    if libc::WIFSIGNALED(status) { -libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) }
}

fn holds(secret: &Secret) -> bool {
    secret.expose(|plain| plain == PLAIN)
}

#[test]
fn it_serves_a_child_and_a_grandchild_at_every_level() {
    for level in LEVELS {
        let secret = Secret::keep(PLAIN, level).expect("this kernel has every kind");
        let in_both = in_child(|| holds(&secret) && holds(&secret) && in_child(|| holds(&secret)) == 0);
        assert_eq!(in_both, 0, "{level:?}");
        assert_eq!(
            in_child(|| secret.expose(|plain| plain == b"another")),
            1,
            "the control: a child that compares with another secret"
        );
        assert!(holds(&secret));
    }
}

#[test]
fn it_keeps_the_parents_secret_if_a_child_frees_it_or_exits() {
    for level in LEVELS {
        let secret = Secret::keep(PLAIN, level).expect("this kernel has every kind");
        let freed = ManuallyDrop::new(Secret::keep(PLAIN, level).expect("as above"));
        let child = in_child(|| {
            // SAFETY: the child has its own copy of this value and does not use it again.
            drop(unsafe { std::ptr::read(&raw const *freed) });
            holds(&secret)
        });
        assert_eq!(child, 0, "{level:?}");
        assert!(holds(&secret) && holds(&freed), "{level:?}");
        drop(ManuallyDrop::into_inner(freed));
    }
}

/// Runs `before` in a child, waits until the parent has freed `secret`, and then runs `after` in the child. Returns the
/// result of the child as `in_child` does.
fn outlive(secret: Secret, before: impl FnOnce(&Secret), after: impl FnOnce(Secret) -> bool) -> i32 {
    let (mut child_end, mut parent_end) = UnixStream::pair().expect("two ends");
    let secret = ManuallyDrop::new(secret);
    let child = start_child(|| {
        // SAFETY: the child has its own copy of this value and uses it nowhere else.
        let own = unsafe { std::ptr::read(&raw const *secret) };
        before(&own);
        let is_freed = child_end.write_all(b"1").and_then(|()| child_end.read_exact(&mut [0]));
        is_freed.is_ok() && after(own)
    });
    parent_end.read_exact(&mut [0]).expect("the child is ready");
    drop(ManuallyDrop::into_inner(secret));
    parent_end.write_all(b"1").expect("the child waits");
    wait_for(child)
}

#[test]
fn it_serves_a_child_that_used_a_secret_before_the_parent_freed_it() {
    for level in LEVELS {
        let secret = || Secret::keep(PLAIN, level).expect("this kernel has every kind");
        let uses = |secret: &Secret| assert!(holds(secret));
        assert_eq!(outlive(secret(), uses, |secret| holds(&secret)), 0, "{level:?}");
    }
}

#[test]
fn it_panics_in_a_child_if_the_parent_has_wiped_the_secret() {
    let secret = || Secret::keep(PLAIN, Level::SecretMem).expect("this kernel has every kind");
    let panics = |secret: Secret| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| secret.expose(<[u8]>::len))).is_err()
    };
    assert_eq!(outlive(secret(), |_| {}, panics), 0, "the pages are shared");
    // The parent destroyed the memory that the child shares, so the child must not abort.
    assert_eq!(
        outlive(
            secret(),
            |_| {},
            |secret| {
                drop(secret);
                true
            }
        ),
        0,
        "a child frees the secret afterwards"
    );
}

#[test]
fn it_serves_children_that_are_forked_while_threads_use_secrets() {
    let stop = AtomicBool::new(false);
    for level in LEVELS {
        let secret = Secret::keep(PLAIN, level).expect("this kernel has every kind");
        stop.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        assert!(holds(&secret) && holds(&Secret::keep(PLAIN, level).expect("memory")));
                    }
                });
            }
            let results: Vec<i32> = (0..20)
                .map(|_| in_child(|| holds(&secret) && holds(&Secret::keep(PLAIN, level).expect("memory"))))
                .collect();
            stop.store(true, Ordering::Relaxed);
            assert_eq!(results, [0; 20], "{level:?}");
        });
    }
}

#[test]
fn it_locks_less_than_four_mebibytes_for_ten_thousand_pairs() {
    let locked = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("the kernel has this file");
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).expect("the line exists");
        line.trim().trim_end_matches(" kB").trim().parse::<usize>().expect("a number") * 1024
    };
    let pair = [b'a'; 81];
    let before = locked();
    let secrets: Vec<Secret> =
        (0..10_000).map(|_| Secret::keep(&pair, Level::Strict).expect("root may lock")).collect();
    let added = locked() - before;
    assert!(added < 4 * 1024 * 1024, "{added} bytes are locked");
    assert!(added >= secrets.len() * pair.len(), "the control: {added} bytes cannot hold them");
}

#[test]
fn it_wipes_a_variable_where_it_is_stored_and_removes_it() {
    const SECRET: &str = "sec789xyz000";
    let in_child = in_child(|| {
        // SAFETY: the child has one thread.
        unsafe { std::env::set_var("JUSTCALL_SCRUBBED", SECRET) };
        // SAFETY: the name is NUL-terminated, and the variable exists.
        let value = unsafe { libc::getenv(c"JUSTCALL_SCRUBBED".as_ptr()) }.cast::<u8>();
        // SAFETY: setenv() allocated the text. The program never frees it, so it stays readable after it is removed.
        let stored = || unsafe { std::slice::from_raw_parts(value, SECRET.len()) }.to_vec();
        assert_eq!(stored(), SECRET.as_bytes(), "the control");
        for unknown in ["JUSTCALL_ABSENT", "JUSTCALL\0SCRUBBED", "JUSTCALL_SCRUBBED=", ""] {
            scrub_variable(unknown);
        }
        assert_eq!(stored(), SECRET.as_bytes(), "another variable");
        scrub_variable("JUSTCALL_SCRUBBED");
        stored() == [0; SECRET.len()] && std::env::var_os("JUSTCALL_SCRUBBED").is_none()
    });
    assert_eq!(in_child, 0);
}

/// Removes the right to lock memory. Call it only in a child.
fn drop_the_right_to_lock_memory() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the child lowers its own limit and, as another user, drops its privileges.
    let is_dropped = unsafe {
        libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const none) == 0
            && (libc::getuid() != 0 || libc::setuid(65534) == 0)
    };
    assert!(is_dropped, "the limit is set");
    let mut page = vec![0_u8; 4096];
    // SAFETY: the page is the child's own.
    assert_ne!(unsafe { libc::mlock(page.as_mut_ptr().cast(), page.len()) }, 0, "the limit bites");
}

#[test]
fn it_reports_the_protection_of_the_copy_of_a_child() {
    for (level, expected) in [(Level::Strict, Protection::Locked), (Level::SecretMem, Protection::SecretMem)]
    {
        let secret = Secret::keep(PLAIN, level).expect("this kernel has every kind");
        let reports = |protection, refused: Option<Protection>| {
            // The protection must be the same before and after the first use.
            let reported = || (secret.protection(), secret.refused().map(|refused| refused.asked));
            reported() == (protection, refused) && holds(&secret) && reported() == (protection, refused)
        };
        assert_eq!(in_child(|| reports(expected, None)), 0, "{level:?}");
        let without_the_right = in_child(|| {
            drop_the_right_to_lock_memory();
            reports(Protection::Heap, Some(expected))
        });
        assert_eq!(without_the_right, 0, "{level:?}");
        assert!(reports(expected, None), "the protection of the parent is unchanged");
    }
}

#[test]
fn it_works_without_the_right_to_lock_memory_and_reports_it() {
    let result = in_child(|| {
        drop_the_right_to_lock_memory();
        let secret = Secret::copy_from(PLAIN);
        let refused = secret.refused().expect("the reason is reported").why;
        secret.protection() == Protection::Heap
            && holds(&secret)
            && refused.contains("ulimit -l")
            && Secret::keep(PLAIN, Level::Strict).is_err_and(|refused| refused.asked == Protection::Locked)
            && Secret::keep(PLAIN, Level::SecretMem).is_err_and(|refused| {
                let why = &refused.why;
                refused.asked == Protection::SecretMem
                    && why.contains("memfd_secret")
                    && why.contains("ulimit -l")
            })
    });
    assert_eq!(result, 0);
}
