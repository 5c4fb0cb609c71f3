//! The machine code of what an emulator does not show (BO2): a halt that is one step, barriers before interrupts to others.

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol};

use super::Arch;

const X86_STI: u8 = 0xfb;
const X86_HLT: u8 = 0xf4;

const ARM_WFI: u32 = 0xd503_207f;
const ARM_DSB_SY: u32 = 0xd503_3f9f;
const ARM_UNMASK: u32 = 0xd503_42ff;
const ARM_DSB_ISHST: u32 = 0xd503_3a9f;
/// A write of `ICC_SGI1R_EL1`, whatever the source.
const ARM_SEND: (u32, u32) = (0xffff_ffe0, 0xd518_cba0);

const X86_MFENCE_LFENCE: [u8; 6] = [0x0f, 0xae, 0xf0, 0x0f, 0xae, 0xe8];

/// Looks at a kernel, or at an object file with the machine's parts.
pub(super) fn check(arch: Arch, elf: &[u8]) -> Result<()> {
    let halt = function(elf, "unmask_and_halt")?;
    let whole = match arch {
        Arch::X86_64 => x86_halt(&halt),
        Arch::Aarch64 => arm_halt(&words(&halt)),
    };
    ensure!(whole, "unmask-and-halt is not one step: {halt:02x?}");
    let name = match arch {
        Arch::X86_64 => "fence",
        Arch::Aarch64 => "send_sgi",
    };
    let send = function(elf, name)?;
    let ordered = match arch {
        Arch::X86_64 => x86_fence(&send),
        Arch::Aarch64 => arm_send(&words(&send)),
    };
    ensure!(ordered, "an interrupt is sent without a barrier: `{name}` is {send:02x?}");
    Ok(())
}

/// The stores are ordered by the first, the register write after it by the second.
fn x86_fence(code: &[u8]) -> bool {
    code.windows(X86_MFENCE_LFENCE.len()).any(|window| window == X86_MFENCE_LFENCE)
}

/// The barrier comes first.
fn arm_send(code: &[u32]) -> bool {
    let barrier = code.iter().position(|&word| word == ARM_DSB_ISHST);
    let send = code.iter().position(|&word| word & ARM_SEND.0 == ARM_SEND.1);
    barrier.is_some_and(|barrier| send.is_some_and(|send| barrier < send))
}

/// `sti; hlt` and no other of either.
fn x86_halt(code: &[u8]) -> bool {
    let unmask = code.iter().position(|&byte| byte == X86_STI);
    let halt = code.iter().position(|&byte| byte == X86_HLT);
    unmask.is_some_and(|at| halt == Some(at + 1))
}

/// `dsb sy; wfi; msr daifclr, #2`, and no other unmasking.
fn arm_halt(code: &[u32]) -> bool {
    let first = |wanted: u32| code.iter().position(|&word| word == wanted);
    first(ARM_WFI).is_some_and(|halt| {
        halt > 0 && code[halt - 1] == ARM_DSB_SY && first(ARM_UNMASK) == Some(halt + 1)
    })
}

fn words(code: &[u8]) -> Vec<u32> {
    code.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect()
}

/// The code of the one function whose mangled name has `name` in it.
fn function(elf: &[u8], name: &str) -> Result<Vec<u8>> {
    let file = object::File::parse(elf)?;
    // Both manglings put the length before a name.
    let mangled = format!("{}{name}", name.len());
    let symbol = file
        .symbols()
        .find(|symbol| symbol.size() > 0 && symbol.name().is_ok_and(|it| it.contains(&mangled)))
        .with_context(|| format!("there is no function `{name}`"))?;
    let section = file.section_by_index(symbol.section_index().context("a section")?)?;
    let code = section.data_range(symbol.address(), symbol.size())?.context("code")?;
    Ok(code.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halt_of_x86_is_two_instructions_together() {
        assert!(x86_halt(&[0x50, X86_STI, X86_HLT, 0xc3]));
        assert!(!x86_halt(&[X86_STI, 0x90, X86_HLT, 0xc3]));
        assert!(!x86_halt(&[X86_HLT, X86_STI, X86_HLT, 0xc3]));
        assert!(!x86_halt(&[X86_STI, 0xc3]));
        assert!(!x86_halt(&[X86_HLT, 0xc3]));
    }

    #[test]
    fn a_halt_of_arm_is_unmasked_behind_it() {
        const RET: u32 = 0xd65f_03c0;
        assert!(arm_halt(&[ARM_DSB_SY, ARM_WFI, ARM_UNMASK, RET]));
        assert!(!arm_halt(&[ARM_DSB_SY, ARM_UNMASK, ARM_WFI, RET]));
        assert!(!arm_halt(&[ARM_UNMASK, ARM_DSB_SY, ARM_WFI, ARM_UNMASK]));
        assert!(!arm_halt(&[ARM_WFI, ARM_UNMASK, RET]));
        assert!(!arm_halt(&[ARM_DSB_SY, ARM_WFI]));
        assert!(!arm_halt(&[RET]));
    }

    #[test]
    fn an_interrupt_to_another_cpu_stands_behind_its_barrier() {
        const SEND_X8: u32 = 0xd518_cba8;
        assert!(arm_send(&[ARM_DSB_ISHST, SEND_X8]));
        assert!(!arm_send(&[SEND_X8, ARM_DSB_ISHST]));
        assert!(!arm_send(&[SEND_X8]));
        assert!(!arm_send(&[ARM_DSB_ISHST]));
        assert!(x86_fence(&[0x55, 0x0f, 0xae, 0xf0, 0x0f, 0xae, 0xe8, 0xc3]));
        assert!(!x86_fence(&[0x0f, 0xae, 0xf0, 0xc3]));
        assert!(!x86_fence(&[0x0f, 0xae, 0xe8, 0x0f, 0xae, 0xf0]));
    }

    #[test]
    fn what_is_no_kernel_is_an_error() {
        assert!(check(Arch::X86_64, b"no ELF").is_err());
        let this = std::env::current_exe().unwrap();
        let error = check(Arch::X86_64, &std::fs::read(this).unwrap()).unwrap_err();
        assert!(error.to_string().contains("no function"), "{error}");
    }
}

/// The machines' own code, compiled for each: what mutants of it must not pass.
#[cfg(all(test, feature = "cross"))]
mod cross {
    use super::*;
    use crate::command::Command;
    use crate::workspace::Workspace;

    /// The object file of `sched-arch` for that machine.
    fn object_of(arch: Arch) -> Vec<u8> {
        let workspace = Workspace::find().unwrap();
        let target = workspace.target_for("cross");
        Command::new("cargo")
            .directory(&workspace.root)
            .target_dir(&target)
            .words("rustc --quiet --release --package sched-arch --features hardware --target")
            .arg(arch.triple())
            .words("-- --emit=obj -Ccodegen-units=1")
            .check()
            .unwrap();
        let folder = target.join(arch.triple()).join("release/deps");
        let objects = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let newest = objects
            .filter(|path| path.extension().is_some_and(|extension| extension == "o"))
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("sched_arch"))
            })
            .max_by_key(|path| path.metadata().and_then(|meta| meta.modified()).unwrap());
        std::fs::read(newest.expect("an object file")).unwrap()
    }

    #[test]
    fn the_machines_halt_in_one_step_and_send_behind_barriers() {
        for arch in [Arch::X86_64, Arch::Aarch64] {
            if let Err(error) = check(arch, &object_of(arch)) {
                panic!("{arch:?}: {error}");
            }
        }
    }
}
