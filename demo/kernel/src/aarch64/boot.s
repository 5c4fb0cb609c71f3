# From the loader's hands to Rust at EL1, for the first CPU and for those that PSCI starts. Both meet in `mmu_on`, with
#   x19   the Rust function
#   x20   the end of a stack; in the 16 bytes below it the function's argument

.section .text.boot, "ax"
.global boot_entry
boot_entry:
    msr     daifset, #15
    adrp    x20, boot_stack_top
    adrp    x19, first_cpu
    add     x19, x19, :lo12:first_cpu
    b       mmu_on

# By PSCI, with x0 as it was asked for.
.global other_entry
other_entry:
    msr     daifset, #15
    mov     x20, x0
    adrp    x19, other_cpu
    add     x19, x19, :lo12:other_cpu

mmu_on:
    msr     spsel, #1
    mov     x0, #(3 << 20)              // floating point and vectors at EL1 and EL0
    msr     cpacr_el1, x0
    ldr     x0, =0xff00                 // attribute 0: device, 1: normal, write-back
    msr     mair_el1, x0
    // 32 bits of addresses by TTBR0, none by TTBR1; tables in write-back, inner shareable memory.
    ldr     x0, =(32 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 1 << 32)
    msr     tcr_el1, x0
    adrp    x0, translation_table
    msr     ttbr0_el1, x0
    dsb     ish
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    mrs     x0, sctlr_el1
    mov     x1, #(1 | 1 << 2 | 1 << 3 | 1 << 12) // MMU, data cache, stack alignment, instruction cache
    orr     x0, x0, x1
    bic     x0, x0, #(1 << 1)           // no alignment check
    msr     sctlr_el1, x0
    isb

    adrp    x0, vectors
    msr     vbar_el1, x0
    isb
    mov     sp, x20
    ldr     x0, [sp, #-16]              // readable now that the caches are on
    mov     x29, xzr                    // the outermost frame
    mov     x30, xzr
    blr     x19
    brk     #0

# Sixteen entries of 128 bytes. What is used is "from EL1, on its own stack", and interrupts from EL0.
.section .text, "ax"
    .balign 4096
vectors:
.macro entry target
    .balign 128
    b       \target
.endm
    entry   unexpected_entry
    entry   unexpected_entry
    entry   unexpected_entry
    entry   unexpected_entry
    entry   exception_entry
    entry   irq_entry
    entry   unexpected_entry
    entry   unexpected_entry
    entry   unexpected_entry
    entry   irq_from_user_entry
    entry   unexpected_entry
    entry   unexpected_entry
    entry   unexpected_entry
    entry   unexpected_entry
    entry   unexpected_entry
    entry   unexpected_entry
    .balign 128

# Four blocks of 1 GiB: devices, not executable; memory, inner shareable; nothing beyond.
.section .data, "aw"
    .balign 4096
.global translation_table
translation_table:
    .quad   0x00000000 | 0x0060000000000401
    .quad   0x40000000 | 0x705
    .quad   0
    .quad   0
    .balign 4096

.section .bss, "aw", @nobits
    .balign 4096
boot_stack: .skip 65536
boot_stack_top:
    .skip   4096

// What the compiler appends to this assembly is code.
.text
