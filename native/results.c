/* From candidates to the queries that hold, with the places of their terms. Touches no Python object. */
#include "engine.h"

enum { AHEAD = 8 };
enum { MOST_SPANS = 1000 }; /* as in monitor/core/engine/explain.py */

static int gather(Engine *self, uint32_t number);

static int gather_parts(Engine *self, uint32_t number)
{
    for (uint32_t i = 0; i < self->nodes[number].n_parts; i++) {
        uint32_t part = parts_of(&self->nodes[number])[i];
        int answer = YES;
        if (self->nodes[number].op != OP_ALL && truth(self, part, &answer) < 0) {
            return -1;
        }
        if (answer == YES && gather(self, part) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Note the nodes whose places made a node hold; nothing for what was only absent. */
static int gather(Engine *self, uint32_t number)
{
    switch (self->nodes[number].op) {
    case OP_ALL:
    case OP_ANY:
    case OP_SOME:
        return gather_parts(self, number);
    case OP_OFTEN:
        return gather(self, parts_of(&self->nodes[number])[0]);
    case OP_NOT:
    case OP_FEATURE:
    case OP_UNKNOWN:
        return 0;
    default:
        if (RESERVE(self->gathered, self->room_gathered, (size_t)self->n_gathered + 1) < 0) {
            return -1;
        }
        self->gathered[self->n_gathered++] = number;
        return 0;
    }
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return (one > other) - (one < other);
}

static void keep_each_once(Engine *self)
{
    uint32_t kept = 0;
    qsort(self->gathered, self->n_gathered, sizeof *self->gathered, compare_numbers);
    for (uint32_t i = 0; i < self->n_gathered; i++) {
        if (!kept || self->gathered[kept - 1] != self->gathered[i]) {
            self->gathered[kept++] = self->gathered[i];
        }
    }
    self->n_gathered = kept;
}

static uint32_t at_most(uint32_t count)
{
    return count < MOST_SPANS ? count : MOST_SPANS;
}

/* Put the first leaves of all gathered nodes together. Never has more than a few times as many as are told. */
static int join_leaves(Engine *self, Result *result)
{
    enum { ROOM = 4 * MOST_SPANS };
    size_t total = 0;
    const Memo *found;
    for (uint32_t i = 0; i < self->n_gathered; i++) {
        if (leaves(self, self->gathered[i], &found) < 0) {
            return -1;
        }
        total += at_most(found->n_leaves);
    }
    Leaf *together = arena_take(&self->arena, (total < ROOM ? total : ROOM) * sizeof *together + 1);
    if (!together) {
        return -1;
    }
    for (uint32_t i = 0; i < self->n_gathered; i++) {
        const Memo *memo = &self->memos[self->nodes[self->gathered[i]].memo];
        uint32_t more = at_most(memo->n_leaves);
        if (result->n_leaves + more > ROOM) {
            if (sort_leaves(self, together, &result->n_leaves) < 0) {
                return -1;
            }
            result->n_leaves = at_most(result->n_leaves);
        }
        if (more) {
            memcpy(together + result->n_leaves, memo->leaves, more * sizeof *together);
        }
        result->n_leaves += more;
    }
    result->leaves = together;
    return sort_leaves(self, together, &result->n_leaves);
}

static int add_result(Engine *self, uint32_t query)
{
    Result result = {.query = query};
    self->n_gathered = 0;
    if (RESERVE(self->results, self->room_results, (size_t)self->n_results + 1) < 0 ||
        gather(self, self->queries[query].root) < 0) {
        return -1;
    }
    if (self->n_gathered == 1) {
        const Memo *found;
        if (leaves(self, self->gathered[0], &found) < 0) {
            return -1;
        }
        result.leaves = found->leaves;
        result.n_leaves = found->n_leaves;
    } else if (self->n_gathered) {
        keep_each_once(self);
        if (join_leaves(self, &result) < 0) {
            return -1;
        }
    }
    result.n_leaves = at_most(result.n_leaves);
    self->results[self->n_results++] = result;
    return 0;
}

/* Ask every candidate. Those that only Python can decide are left among the candidates, the others taken out. */
int find_results(Engine *self)
{
    uint32_t left = 0;
    self->n_results = 0;
    for (uint32_t i = 0; i < self->n_candidates; i++) {
        uint32_t query = self->candidates[i], root = self->queries[query].root;
        if (i + 2 * AHEAD < self->n_candidates) {
            SOON(&self->queries[self->candidates[i + 2 * AHEAD]]);
            SOON(&self->nodes[self->queries[self->candidates[i + AHEAD]].root]);
        }
        int answer = YES;
        if (spend(self, 1) < 0 || (!self->queries[query].sure && truth(self, root, &answer) < 0)) {
            return -1;
        }
        if (answer != NO && self->nodes[root].unknown) {
            self->candidates[left++] = query;
        } else if (answer == YES && add_result(self, query) < 0) {
            return -1;
        }
    }
    self->n_candidates = left;
    return 0;
}
