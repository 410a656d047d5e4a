/* What runs before main() on any Cortex-M: vectors, initial values, floating point unit. Written by edgecompile.
 *
 * Only the core's own exceptions are in the table; interrupts of the device are off after reset, and whoever turns one
 * on brings the maker's table. The clock stays as it is after reset.
 */
#include <stdint.h>

typedef void (*ec_handler)(void);

/* From linker.ld. */
extern uint32_t ec_data_load[], ec_data_start[], ec_data_end[], ec_bss_start[], ec_bss_end[], ec_stack_top[];

int main(void);
void Reset_Handler(void);
void Default_Handler(void);
void NMI_Handler(void) __attribute__((weak, alias("Default_Handler")));
void HardFault_Handler(void) __attribute__((weak, alias("Default_Handler")));
void MemManage_Handler(void) __attribute__((weak, alias("HardFault_Handler")));
void BusFault_Handler(void) __attribute__((weak, alias("HardFault_Handler")));
void UsageFault_Handler(void) __attribute__((weak, alias("HardFault_Handler")));
void SecureFault_Handler(void) __attribute__((weak, alias("HardFault_Handler")));
void SVC_Handler(void) __attribute__((weak, alias("Default_Handler")));
void DebugMon_Handler(void) __attribute__((weak, alias("Default_Handler")));
void PendSV_Handler(void) __attribute__((weak, alias("Default_Handler")));
void SysTick_Handler(void) __attribute__((weak, alias("Default_Handler")));

static const struct {
    uint32_t *stack;
    ec_handler handlers[15];
} ec_vectors __attribute__((section(".vectors"), used)) = {
    ec_stack_top,
    {Reset_Handler, NMI_Handler, HardFault_Handler, MemManage_Handler, BusFault_Handler, UsageFault_Handler,
     SecureFault_Handler, 0, 0, 0, SVC_Handler, DebugMon_Handler, 0, PendSV_Handler, SysTick_Handler},
};

void Default_Handler(void)
{
    for (;;) {
    }
}

void Reset_Handler(void)
{
    uint32_t *to;
    const uint32_t *from = ec_data_load;
    /* VTOR: after a boot loader it still points to the boot loader's own table. */
    *(volatile uint32_t *)0xE000ED08u = (uint32_t)(uintptr_t)&ec_vectors;
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: full access to floating point and vectors */
    __asm__ volatile("dsb\n isb" ::: "memory");
#endif
    for (to = ec_data_start; to < ec_data_end; ++to) *to = *from++;
    for (to = ec_bss_start; to < ec_bss_end; ++to) *to = 0;
    (void)main();
    Default_Handler();
}
