/* What a debugger or an emulator does for the program that it runs. Written by edgecompile.
 *
 * "Semihosting for AArch32 and AArch64", Arm, release 2.0: operation in r0, argument in r1, BKPT 0xAB on M profile.
 * Without a debugger that knows it, the instruction is a hard fault.
 */
#ifndef EC_SEMIHOSTING_H_
#define EC_SEMIHOSTING_H_

#include <stddef.h>
#include <stdint.h>

#define EC_HOST_READ 1  /* mode "rb" */
#define EC_HOST_WRITE 5 /* mode "wb" */

/* Write text to the host's console. */
void ec_host_print(const char *text);
void ec_host_print_number(uint32_t number);

/* A file in the host's folder; negative when it cannot be opened. */
int32_t ec_host_open(const char *name, uint32_t mode);

/* 1 when all bytes were moved, else 0. */
int ec_host_read(int32_t file, void *to, size_t count);
int ec_host_write(int32_t file, const void *from, size_t count);
void ec_host_close(int32_t file);

/* End the program; 0 is success. */
void ec_host_exit(uint32_t code) __attribute__((noreturn));

#endif /* EC_SEMIHOSTING_H_ */
