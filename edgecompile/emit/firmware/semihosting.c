/* See semihosting.h. Written by edgecompile. */
#include "semihosting.h"

#define SYS_OPEN 0x01u
#define SYS_CLOSE 0x02u
#define SYS_WRITE0 0x04u
#define SYS_WRITE 0x05u
#define SYS_READ 0x06u
#define SYS_EXIT_EXTENDED 0x20u
#define APPLICATION_EXIT 0x20026u /* ADP_Stopped_ApplicationExit */

void HardFault_Handler(void);

static uint32_t host(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void ec_host_print(const char *text) { (void)host(SYS_WRITE0, text); }

void ec_host_print_number(uint32_t number)
{
    char text[11];
    int place = 10;
    text[10] = 0;
    do {
        text[--place] = (char)('0' + number % 10u);
        number /= 10u;
    } while (number > 0);
    ec_host_print(text + place);
}

int32_t ec_host_open(const char *name, uint32_t mode)
{
    uint32_t length = 0, block[3];
    while (name[length] != 0) ++length;
    block[0] = (uint32_t)(uintptr_t)name;
    block[1] = mode;
    block[2] = length;
    return (int32_t)host(SYS_OPEN, block);
}

static int moved(uint32_t operation, int32_t file, uint32_t place, size_t count)
{
    uint32_t block[3];
    block[0] = (uint32_t)file;
    block[1] = place;
    block[2] = (uint32_t)count;
    return host(operation, block) == 0; /* the number of bytes that were left */
}

int ec_host_read(int32_t file, void *to, size_t count) { return moved(SYS_READ, file, (uint32_t)(uintptr_t)to, count); }

int ec_host_write(int32_t file, const void *from, size_t count)
{
    return moved(SYS_WRITE, file, (uint32_t)(uintptr_t)from, count);
}

void ec_host_close(int32_t file)
{
    uint32_t block[1];
    block[0] = (uint32_t)file;
    (void)host(SYS_CLOSE, block);
}

void ec_host_exit(uint32_t code)
{
    uint32_t block[2];
    block[0] = APPLICATION_EXIT;
    block[1] = code;
    for (;;) (void)host(SYS_EXIT_EXTENDED, block);
}

/* An image with semihosting tells of a fault instead of standing still. */
void HardFault_Handler(void)
{
    ec_host_print("edgecompile: hard fault\n");
    ec_host_exit(70);
}
