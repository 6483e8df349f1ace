/* Arrays that grow, memory for one article, and a hash table. */
#include "native.h"

int grow(void *array, uint32_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity) {
        return 0;
    }
    size_t room = *capacity ? *capacity : 4;
    while (room < need) {
        room += room / 2 + 1;
    }
    if (room > UINT32_MAX / 2 || room > SIZE_MAX / size) {
        return -1;
    }
    void *old;
    memcpy(&old, array, sizeof old);
    void *moved = realloc(old, room * size);
    if (!moved) {
        return -1;
    }
    memcpy(array, &moved, sizeof moved);
    *capacity = (uint32_t)room;
    return 0;
}

/* --- for one article --- */

enum { USUAL_BLOCK = 1 << 16, ALIGNMENT = 16 };

struct Block {
    Block *next;
    size_t size;
};

void *arena_take(Arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t header = (sizeof(Block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!arena->blocks || arena->used + size > arena->blocks->size) {
        size_t room = header + (size > USUAL_BLOCK ? size : USUAL_BLOCK);
        Block *block = malloc(room);
        if (!block) {
            return NULL;
        }
        block->next = arena->blocks;
        block->size = room;
        arena->blocks = block;
        arena->used = header;
    }
    void *taken = (char *)arena->blocks + arena->used;
    arena->used += size;
    return taken;
}

void arena_free(Arena *arena)
{
    while (arena->blocks) {
        Block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

/* Keep one block: most articles need no more. */
void arena_reset(Arena *arena)
{
    Block *kept = NULL;
    while (arena->blocks) {
        Block *next = arena->blocks->next;
        if (!kept && arena->blocks->size <= 2 * USUAL_BLOCK) {
            kept = arena->blocks;
            kept->next = NULL;
        } else {
            free(arena->blocks);
        }
        arena->blocks = next;
    }
    arena->blocks = kept;
    arena->used = (sizeof(Block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* --- hash table: open addressing, never more than two thirds full --- */

uint64_t mixed(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdULL;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53ULL;
    value ^= value >> 33;
    return value;
}

static uint32_t slot_of(const Map *map, uint64_t key)
{
    uint32_t mask = map->size - 1;
    uint32_t slot = (uint32_t)mixed(key) & mask;
    while (map->keys[slot] && map->keys[slot] != key) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

int map_find(const Map *map, uint64_t key, uint32_t *value)
{
    if (!map->size) {
        return 0;
    }
    uint32_t slot = slot_of(map, key);
    if (!map->keys[slot]) {
        return 0;
    }
    *value = map->values[slot];
    return 1;
}

static int resize(Map *map, uint32_t size)
{
    Map larger = {calloc(size, sizeof *larger.keys), calloc(size, sizeof *larger.values), size, map->used};
    if (!larger.keys || !larger.values) {
        free(larger.keys);
        free(larger.values);
        return -1;
    }
    for (uint32_t i = 0; i < map->size; i++) {
        if (map->keys[i]) {
            uint32_t slot = slot_of(&larger, map->keys[i]);
            larger.keys[slot] = map->keys[i];
            larger.values[slot] = map->values[i];
        }
    }
    free(map->keys);
    free(map->values);
    *map = larger;
    return 0;
}

int map_put(Map *map, uint64_t key, uint32_t value)
{
    if (map->used >= map->size / 3 * 2) {
        if (map->size >= 1U << 30 || resize(map, map->size ? map->size * 2 : 16) < 0) {
            return -1;
        }
    }
    uint32_t slot = slot_of(map, key);
    map->used += !map->keys[slot];
    map->keys[slot] = key;
    map->values[slot] = value;
    return 0;
}

/* Move what follows into the hole, so that nothing stands behind an empty slot that it would be sought beyond. */
void map_drop(Map *map, uint64_t key)
{
    if (!map->size) {
        return;
    }
    uint32_t mask = map->size - 1, hole = slot_of(map, key);
    if (!map->keys[hole]) {
        return;
    }
    map->used--;
    for (uint32_t next = (hole + 1) & mask; map->keys[next]; next = (next + 1) & mask) {
        uint32_t wanted = (uint32_t)mixed(map->keys[next]) & mask;
        if (((next - wanted) & mask) >= ((next - hole) & mask)) {
            map->keys[hole] = map->keys[next];
            map->values[hole] = map->values[next];
            hole = next;
        }
    }
    map->keys[hole] = 0;
}

void map_free(Map *map)
{
    free(map->keys);
    free(map->values);
    memset(map, 0, sizeof *map);
}
