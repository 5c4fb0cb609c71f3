//! The two architectures, and the machines that QEMU makes of them.

/// An architecture that the kernel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Arch {
    #[value(name = "x86_64")]
    X86_64,
    Aarch64,
}

impl Arch {
    pub(super) fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-none",
            Self::Aarch64 => "aarch64-unknown-none",
        }
    }

    pub(super) fn emulator(self) -> &'static str {
        match self {
            Self::X86_64 => "qemu-system-x86_64",
            Self::Aarch64 => "qemu-system-aarch64",
        }
    }

    /// Debian's package of the emulator.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::X86_64 => "qemu-system-x86",
            Self::Aarch64 => "qemu-system-arm",
        }
    }

    /// The emulator's exit code when the kernel says that all is well.
    pub(super) fn success(self) -> i32 {
        match self {
            Self::X86_64 => 33,
            Self::Aarch64 => 0,
        }
    }

    /// CPUs that the machine may have with that interrupt controller.
    pub(super) fn most_cpus(self, gic: Option<u32>) -> u32 {
        match (self, gic) {
            (Self::X86_64, _) | (_, Some(2)) => 8,
            _ => 16,
        }
    }

    /// The emulator's arguments that say which machine, and how it ends. Always emulated: a nested hypervisor is slower.
    pub(super) fn machine(self, gic: Option<u32>, cpus: u32) -> Vec<String> {
        let gic = gic.unwrap_or(if cpus > 8 { 3 } else { 2 });
        let words = match self {
            Self::X86_64 => {
                "-machine q35 -accel tcg -device isa-debug-exit,iobase=0xf4,iosize=4".to_owned()
            }
            Self::Aarch64 => format!(
                "-machine virt,gic-version={gic} -accel tcg -cpu cortex-a72 \
                 -semihosting-config enable=on,target=native"
            ),
        };
        words.split_whitespace().map(str::to_owned).collect()
    }
}
