# From the loader's hands to Rust, for the first CPU (PVH: 32-bit protected mode, paging off, EBX: start information)
# and for every other one (real mode, from the copy of `trampoline`). Both meet in `long_mode`, with
#   EDI   the argument of the Rust function
#   ESI   that function
#   ESP   a stack

.section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, 18                  # length of the name, of the descriptor; XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long pvh_entry

.section .text.boot, "ax"
.code32
.global pvh_entry
pvh_entry:
    cli
    cld
    movl $boot_stack_top, %esp
    movl %ebx, %edi

    # Four GiB, one to one, in pages of 2 MiB. The last GiB holds devices: not cached.
    movl $page_directories, %eax
    orl $3, %eax
    xorl %ecx, %ecx
1:  movl %eax, page_pointers(, %ecx, 8)
    addl $4096, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 1b
    movl $page_pointers, %eax
    orl $3, %eax
    movl %eax, page_root
    movl $0x83, %eax                # present, writable, 2 MiB
    xorl %ecx, %ecx
2:  cmpl $1536, %ecx
    jne 3f
    orl $0x18, %eax                 # write-through, cache disabled
3:  movl %eax, page_directories(, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $2048, %ecx
    jne 2b

    movl $first_cpu, %esi
    jmp long_mode

# Other CPUs, out of real mode.
protected_mode:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl next_cpu_stack, %esp
    movl next_cpu_index, %edi
    movl $other_cpu, %esi

long_mode:
    movl $page_root, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x620, %eax                # PAE, OSFXSR, OSXMMEXCPT
    movl %eax, %cr4
    movl $0xc0000080, %ecx          # EFER
    rdmsr
    orl $0x100, %eax                # LME
    wrmsr
    movl %cr0, %eax
    andl $0x9ffffffb, %eax          # caches on (CD, NW), no emulation of the FPU (EM)
    orl $0x80010022, %eax           # PG, WP, NE, MP
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $0x08, $1f
.code64
1:  movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    xorl %eax, %eax
    movw %ax, %fs
    movw %ax, %gs
    movl %edi, %edi                 # the upper halves are undefined
    movl %esi, %esi
    movl %esp, %esp
    xorl %ebp, %ebp                 # the outermost frame
    call *%rsi
    ud2

# Copied to TRAMPOLINE, where other CPUs begin in real mode.
.code16
.global trampoline, trampoline_end
trampoline:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl ({TRAMPOLINE} + trampoline_gdt_pointer - trampoline)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x18, $protected_mode
trampoline_gdt_pointer:
    .word boot_gdt_end - boot_gdt - 1
    .long boot_gdt
trampoline_end:
.code64

.section .rodata, "a"
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9a000000ffff        # 0x08: 64-bit code
    .quad 0x00cf92000000ffff        # 0x10: data
    .quad 0x00cf9a000000ffff        # 0x18: 32-bit code
boot_gdt_end:
boot_gdt_pointer:
    .word boot_gdt_end - boot_gdt - 1
    .quad boot_gdt

.section .data, "aw"
.global next_cpu_stack, next_cpu_index
    .balign 8
next_cpu_stack: .quad 0
next_cpu_index: .quad 0

.section .bss, "aw", @nobits
    .balign 4096
.global page_root
page_root: .skip 4096
page_pointers: .skip 4096
page_directories: .skip 4 * 4096
boot_stack: .skip 65536
boot_stack_top:

# What the compiler appends to this assembly is code.
.text
