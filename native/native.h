/* The compiled half of the matcher: what it shares between its files.
 *
 * Two types: a Scanner cuts texts into words, an Engine holds queries and asks articles. Both do exactly what their
 * Python counterparts do (monitor/core/text, monitor/core/engine), which stay in use where no compiler was at hand and
 * are what the tests compare with. Everything that knows about alphabets, folding and rarity stays in Python.
 *
 * Functions return 0 for done and -1 for failed. A failure is a Python exception, or out of memory if none is set.
 */
#ifndef MONITOR_NATIVE_H
#define MONITOR_NATIVE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- memory --- */

/* Make room for `need` items in a growing array. */
int grow(void *array, uint32_t *capacity, size_t need, size_t size);

#define RESERVE(array, capacity, need) ((need) <= (capacity) ? 0 : grow(&(array), &(capacity), (need), sizeof *(array)))

/* Memory for one article: taken in pieces, given back all at once. */
typedef struct Block Block;
typedef struct {
    Block *blocks;
    size_t used, size;
} Arena;

void *arena_take(Arena *arena, size_t size);
void arena_reset(Arena *arena);
void arena_free(Arena *arena);

/* Fetch what will be needed a few steps on. With a million rules next to nothing is in the cache. */
#if defined(__GNUC__)
#define SOON(address) __builtin_prefetch(address)
#else
#define SOON(address) ((void)(address))
#endif

/* A hash table from 64 bits, not all zero, to 32. */
typedef struct {
    uint64_t *keys;
    uint32_t *values;
    uint32_t size, used;
} Map;

int map_find(const Map *map, uint64_t key, uint32_t *value);
int map_put(Map *map, uint64_t key, uint32_t value);
void map_drop(Map *map, uint64_t key);
void map_free(Map *map);
uint64_t mixed(uint64_t value);

/* --- texts --- */

typedef struct {
    uint32_t word, exact; /* places in `spellings` */
    uint32_t start, end;  /* characters of the text */
} Token;

typedef struct {
    uint32_t word, exact; /* places in `spellings` */
    uint32_t first, last; /* tokens */
} Other;                  /* another spelling: a compound written as one, a noun after its elided article */

typedef struct {
    PyObject_HEAD
    PyObject **spellings; /* each folded and each exact form of the text, mostly once */
    uint8_t *uses;        /* AS_WORD, AS_EXACT */
    Token *tokens;
    Other *others;
    uint32_t n_spellings, n_tokens, n_others;
    uint32_t room_spellings, room_uses, room_tokens, room_others;
} Scanned;

enum { AS_WORD = 1, AS_EXACT = 2 };

extern PyType_Spec scanner_spec, scanned_spec, engine_spec;

typedef struct {
    PyTypeObject *scanner, *scanned, *engine;
} Module;


#endif
