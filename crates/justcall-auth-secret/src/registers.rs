//! Secrets in processor registers. Ciphers and copies use vector registers, and the last sixteen bytes of a secret stay
//! there until other code overwrites them. A core file contains them. Code that saves registers (a signal, the first
//! call of a lazily bound function) writes them to the stack.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;

/// Wipes the vector registers of the current thread on drop, also during a panic. Declare it first, because the value
/// that is declared first is dropped last.
///
/// On x86-64 these are xmm0 to xmm15 with their upper parts (ymm, zmm), and zmm16 to zmm31 if the processor has them;
/// on 64-bit ARM v0 to v31. Registers that belong to the caller by the calling convention (xmm6 to xmm15 on Windows,
/// the lower halves of v8 to v15 on ARM) keep the caller's values, as after every call. On other processors it does
/// nothing.
#[derive(Debug)]
pub struct RegisterWipe;

impl Drop for RegisterWipe {
    fn drop(&mut self) {
        wipe();
    }
}

/// `is_x86_feature_detected` also checks that the system saves these registers.
#[cfg(target_arch = "x86_64")]
fn wipe() {
    if is_x86_feature_detected!("avx") {
        // SAFETY: the processor has the instruction; all changed registers are declared, so the compiler keeps no value
        // there.
        unsafe { asm!("vzeroall", clobber_abi("sysv64"), options(nomem, nostack)) };
    } else {
        // SAFETY: every x86-64 processor has the instruction; all changed registers are declared.
        unsafe {
            asm!(
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
                "pxor xmm\\n, xmm\\n",
                ".endr",
                clobber_abi("sysv64"),
                options(nomem, nostack)
            );
        }
    }
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the instruction; all changed registers are declared.
        unsafe {
            asm!(
                ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
                "vpxord zmm\\n, zmm\\n, zmm\\n",
                ".endr",
                clobber_abi("sysv64"),
                options(nomem, nostack)
            );
        }
    }
}

#[cfg(target_arch = "aarch64")]
fn wipe() {
    // SAFETY: every processor that std supports has the instruction; all changed registers are declared.
    unsafe {
        asm!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "movi v\\n\\().2d, #0",
            ".endr",
            ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "movi v\\n\\().2d, #0",
            ".endr",
            clobber_abi("C"),
            options(nomem, nostack)
        );
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn wipe() {}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod tests {
    use super::*;

    /// The content of every register before a call.
    pub(crate) const PLANTED: [u8; 64] = [7; 64];

    /// Fills the registers of a width in bytes, calls r13, and stores the registers afterwards.
    #[cfg(target_arch = "x86_64")]
    macro_rules! registers_after {
        ($run:ident, $width:literal, $move:literal, $name:literal, $($number:literal)+) => {{
            let mut seen = vec![0_u8; 32 * $width];
            let run: extern "C" fn() = $run;
            // SAFETY: `seen` has room for 32 registers. All changed registers are declared. The three inputs are in
            // registers that the callee preserves. The 32 bytes on the stack are the shadow space that Windows
            // requires.
            unsafe {
                asm!(
                    $(concat!($move, " ", $name, $number, ", [r12]"),)+
                    "sub rsp, 32",
                    "call r13",
                    "add rsp, 32",
                    $(concat!($move, " [r14 + ", $number, " * ", $width, "], ", $name, $number),)+
                    in("r12") PLANTED.as_ptr(), in("r13") run, in("r14") seen.as_mut_ptr(),
                    clobber_abi("sysv64")
                );
            }
            let registers = seen.chunks($width).enumerate().take([$($number),+].len());
            registers.flat_map(|(number, register)| &register[preserved(number)..]).copied().collect::<Vec<_>>()
        }};
    }

    /// Fills all registers, calls x21, and stores the registers afterwards.
    #[cfg(target_arch = "aarch64")]
    macro_rules! registers_after {
        ($run:ident, $($number:literal)+) => {{
            let mut seen = vec![0_u8; 32 * 16];
            let run: extern "C" fn() = $run;
            // SAFETY: `seen` has room for 32 registers; the three inputs are in registers that the called function keeps;
            // all that is changed is declared.
            unsafe {
                asm!(
                    $(concat!("ldr q", $number, ", [x20]"),)+
                    "blr x21",
                    $(concat!("str q", $number, ", [x22, #", $number, " * 16]"),)+
                    in("x20") PLANTED.as_ptr(), in("x21") run, in("x22") seen.as_mut_ptr(),
                    clobber_abi("C")
                );
            }
            let registers = seen.chunks(16).enumerate();
            registers.flat_map(|(number, register)| &register[preserved(number)..]).copied().collect::<Vec<_>>()
        }};
    }

    /// Returns the number of bytes of a register that belong to the caller by the system's calling convention.
    fn preserved(number: usize) -> usize {
        match number {
            6..16 if cfg!(windows) => 16,
            8..16 if cfg!(target_arch = "aarch64") => 8,
            _ => 0,
        }
    }

    /// Returns the content of every vector register after `run`, by register width, without the parts that belong to
    /// the caller.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn registers_after(run: extern "C" fn()) -> Vec<(&'static str, Vec<u8>)> {
        let mut seen =
            vec![("xmm", registers_after!(run, 16, "movdqu", "xmm", 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15))];
        if is_x86_feature_detected!("avx") {
            let ymm = registers_after!(run, 32, "vmovdqu", "ymm", 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            seen.push(("ymm", ymm));
        }
        if is_x86_feature_detected!("avx512f") {
            let zmm = registers_after!(
                run, 64, "vmovdqu64", "zmm",
                0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            );
            seen.push(("zmm", zmm));
        }
        seen
    }

    #[cfg(target_arch = "aarch64")]
    pub(crate) fn registers_after(run: extern "C" fn()) -> Vec<(&'static str, Vec<u8>)> {
        vec![(
            "q",
            registers_after!(
                run, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            ),
        )]
    }

    extern "C" fn wipe_all() {
        drop(RegisterWipe);
    }

    extern "C" fn wipe_none() {}

    #[test]
    fn it_wipes_every_vector_register() {
        for (name, seen) in registers_after(wipe_none) {
            assert!(seen.iter().all(|byte| *byte == 7), "the control: {name} {seen:?}");
        }
        for (name, seen) in registers_after(wipe_all) {
            assert!(seen.iter().all(|byte| *byte == 0), "{name} {seen:?}");
        }
    }

    #[test]
    fn it_wipes_when_a_call_panics() {
        extern "C" fn panic() {
            let caught = std::panic::catch_unwind(|| {
                let _last = RegisterWipe;
                std::panic::resume_unwind(Box::new(()));
            });
            assert!(caught.is_err());
        }
        // The code after the panic may use the registers again.
        for (name, seen) in registers_after(panic) {
            assert!(!seen.windows(8).any(|part| part == &PLANTED[..8]), "{name} {seen:?}");
        }
    }
}
