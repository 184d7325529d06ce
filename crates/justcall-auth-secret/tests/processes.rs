//! What happens in other processes: children of `fork()`, and programs that touch what they must not.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, missing_docs)]

use std::io::{Read as _, Write as _};
use std::mem::ManuallyDrop;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use justcall_auth_secret::{Level, Protection, Secret};

const PLAIN: &[u8] = b"abc123def456:sec789xyz000";
const LEVELS: [Level; 4] = [Level::Auto, Level::Strict, Level::Heap, Level::SecretMem];

/// Runs `body` in a child; its exit code, or the negated signal that killed it.
fn in_child(body: impl FnOnce() -> bool) -> i32 {
    end_of(begin_child(body))
}

fn begin_child(body: impl FnOnce() -> bool) -> libc::pid_t {
    // SAFETY: the child only runs `body` and ends without unwinding or running the parent's exit handlers.
    match unsafe { libc::fork() } {
        0 => {
            // A test that hangs fails in place of lasting.
            // SAFETY: plain system calls.
            unsafe { libc::alarm(60) };
            let good = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(false);
            // SAFETY: `_exit` runs no exit handler of the parent's.
            unsafe { libc::_exit(i32::from(!good)) }
        }
        child => child,
    }
}

fn end_of(child: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: each child is awaited once, by the process that forked it; the status may be written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    if libc::WIFSIGNALED(status) { -libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) }
}

fn holds(secret: &Secret) -> bool {
    secret.expose(|plain| plain == PLAIN)
}

#[test]
fn it_serves_a_child_and_a_childs_child_at_every_level() {
    for level in LEVELS {
        let secret = Secret::keep(PLAIN, level).expect("this kernel has every kind");
        let in_both = in_child(|| holds(&secret) && holds(&secret) && in_child(|| holds(&secret)) == 0);
        assert_eq!(in_both, 0, "{level:?}");
        assert_eq!(
            in_child(|| secret.expose(|plain| plain == b"another")),
            1,
            "the control: a child that sees another"
        );
        assert!(holds(&secret));
    }
}

#[test]
fn it_keeps_the_parents_secret_when_a_child_frees_it_or_ends() {
    for level in LEVELS {
        let secret = Secret::keep(PLAIN, level).expect("this kernel has every kind");
        let freed = ManuallyDrop::new(Secret::keep(PLAIN, level).expect("as above"));
        let child = in_child(|| {
            // SAFETY: the child has its own copy of this value, and nobody uses it there any more.
            drop(unsafe { std::ptr::read(&raw const *freed) });
            holds(&secret)
        });
        assert_eq!(child, 0, "{level:?}");
        assert!(holds(&secret) && holds(&freed), "{level:?}");
        drop(ManuallyDrop::into_inner(freed));
    }
}

/// What a child comes to that does `before`, then waits until its parent has freed `secret`, then does `after`.
fn outlive(secret: Secret, before: impl FnOnce(&Secret), after: impl FnOnce(Secret) -> bool) -> i32 {
    let (mut childs, mut parents) = UnixStream::pair().expect("two ends");
    let secret = ManuallyDrop::new(secret);
    let child = begin_child(|| {
        // SAFETY: the child has its own copy of this value, and nobody else uses it there.
        let own = unsafe { std::ptr::read(&raw const *secret) };
        before(&own);
        let is_freed = childs.write_all(b"1").and_then(|()| childs.read_exact(&mut [0]));
        is_freed.is_ok() && after(own)
    });
    parents.read_exact(&mut [0]).expect("the child is ready");
    drop(ManuallyDrop::into_inner(secret));
    parents.write_all(b"1").expect("the child waits");
    end_of(child)
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
fn it_never_takes_what_the_parent_wiped_for_the_secret() {
    let secret = || Secret::keep(PLAIN, Level::SecretMem).expect("this kernel has every kind");
    let is_refused = |secret: Secret| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| secret.expose(<[u8]>::len))).is_err()
    };
    assert_eq!(outlive(secret(), |_| {}, is_refused), 0, "pages are shared");
    // The damage that a child sees is its parent's doing: it is no reason to end.
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
        "a child frees it afterwards"
    );
}

#[test]
fn it_serves_children_that_are_born_while_threads_use_secrets() {
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
            let born: Vec<i32> = (0..20)
                .map(|_| in_child(|| holds(&secret) && holds(&Secret::keep(PLAIN, level).expect("memory"))))
                .collect();
            stop.store(true, Ordering::Relaxed);
            assert_eq!(born, [0; 20], "{level:?}");
        });
    }
}

#[test]
fn it_locks_less_than_four_mebibytes_for_ten_thousand_pairs() {
    let locked = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmLck:")).expect("it tells what is locked");
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

/// Of a child alone.
fn give_up_the_right_to_lock_memory() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the child gives up what it may: its limit, then, as another user, its privileges.
    let is_given_up = unsafe {
        libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const none) == 0
            && (libc::getuid() != 0 || libc::setuid(65534) == 0)
    };
    assert!(is_given_up, "the limit is set");
    let mut page = vec![0_u8; 4096];
    // SAFETY: the page is the child's own.
    assert_ne!(unsafe { libc::mlock(page.as_mut_ptr().cast(), page.len()) }, 0, "the limit bites");
}

#[test]
fn it_tells_a_child_how_its_own_copy_is_kept() {
    for (level, kept) in [(Level::Strict, Protection::Locked), (Level::SecretMem, Protection::SecretMem)] {
        let secret = Secret::keep(PLAIN, level).expect("this kernel has every kind");
        let says = |protection, refused: Option<Protection>| {
            // The report may come before the first use, and after it.
            let told = || (secret.protection(), secret.refused().map(|refused| refused.asked));
            told() == (protection, refused) && holds(&secret) && told() == (protection, refused)
        };
        assert_eq!(in_child(|| says(kept, None)), 0, "{level:?}");
        let without_the_right = in_child(|| {
            give_up_the_right_to_lock_memory();
            says(Protection::Heap, Some(kept))
        });
        assert_eq!(without_the_right, 0, "{level:?}");
        assert!(says(kept, None), "the parent's is as it was");
    }
}

#[test]
fn it_works_without_the_right_to_lock_memory_and_says_so() {
    let result = in_child(|| {
        give_up_the_right_to_lock_memory();
        let secret = Secret::copy_from(PLAIN);
        let refused = secret.refused().expect("it says why").why;
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
