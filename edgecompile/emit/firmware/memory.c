/* The four functions that a compiler may call for copies and comparisons, so that no C library is needed for them.
 * Written by edgecompile. To be compiled with -fno-builtin -fno-tree-loop-distribute-patterns: they must not call
 * themselves.
 */
#include <stddef.h>
#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) ec_word;

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *a, const void *b, size_t count);

static int aligned(const void *a, const void *b)
{
    return (((uintptr_t)a | (uintptr_t)b) & 3u) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    unsigned char *d = to;
    const unsigned char *s = from;
    if (aligned(d, s)) {
        for (; count >= 4; count -= 4, d += 4, s += 4) *(ec_word *)(void *)d = *(const ec_word *)(const void *)s;
    }
    for (; count > 0; --count) *d++ = *s++;
    return to;
}

void *memmove(void *to, const void *from, size_t count)
{
    unsigned char *d = to;
    const unsigned char *s = from;
    if ((uintptr_t)d <= (uintptr_t)s) return memcpy(to, from, count);
    if ((uintptr_t)d >= (uintptr_t)s + count) return memcpy(to, from, count);
    while (count > 0) {
        --count;
        d[count] = s[count];
    }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    unsigned char *d = to;
    const unsigned char byte = (unsigned char)value;
    for (; count > 0 && ((uintptr_t)d & 3u) != 0; --count) *d++ = byte;
    for (; count >= 4; count -= 4, d += 4) *(ec_word *)(void *)d = byte * 0x01010101u;
    for (; count > 0; --count) *d++ = byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t count)
{
    const unsigned char *x = a, *y = b;
    for (; count > 0; --count, ++x, ++y) {
        if (*x != *y) return *x - *y;
    }
    return 0;
}
