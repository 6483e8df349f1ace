/* Whether a query holds of the article. Where Python must be asked, the answer is MAYBE. */
#include "engine.h"

static int has_place(Engine *self, uint32_t number, int *answer)
{
    const Memo *found;
    if (occurrences(self, number, &found) < 0) {
        return -1;
    }
    *answer = found->n_found ? YES : NO;
    return 0;
}

static int all_of(Engine *self, uint32_t number, int *answer)
{
    *answer = YES;
    for (uint32_t i = 0; i < self->nodes[number].n_parts && *answer != NO; i++) {
        int part;
        if (truth(self, parts_of(&self->nodes[number])[i], &part) < 0) {
            return -1;
        }
        *answer = part == YES ? *answer : part;
    }
    return 0;
}

static int some_of(Engine *self, uint32_t number, uint32_t wanted, int *answer)
{
    uint32_t yes = 0, maybe = 0;
    for (uint32_t i = 0; i < self->nodes[number].n_parts && yes < wanted; i++) {
        int part;
        if (truth(self, parts_of(&self->nodes[number])[i], &part) < 0) {
            return -1;
        }
        yes += part == YES;
        maybe += part == MAYBE;
    }
    *answer = yes >= wanted ? YES : yes + maybe >= wanted ? MAYBE : NO;
    return 0;
}

static int often(Engine *self, const Node *node, int *answer)
{
    const Memo *found;
    uint32_t count, times = node->argument;
    if (occurrences(self, parts_of(node)[0], &found) < 0 || count_apart(self, found, &count) < 0) {
        return -1;
    }
    *answer = count >= times ? YES : NO;
    return 0;
}

static int work_out(Engine *self, uint32_t number, int *answer)
{
    const Node *node = &self->nodes[number];
    switch (node->op) {
    case OP_WORD:
        if (node->mask == EVERYWHERE) {
            *answer = self->words[node->argument].seen == self->article ? YES : NO;
            return 0;
        }
        return has_place(self, number, answer);
    case OP_NEAR: {
        int near = are_near(self, node);
        *answer = near > 0 ? YES : NO;
        return near < 0 ? -1 : 0;
    }
    case OP_ALL:
        return all_of(self, number, answer);
    case OP_ANY:
        return some_of(self, number, 1, answer);
    case OP_SOME:
        return some_of(self, number, node->argument, answer);
    case OP_NOT:
        if (truth(self, parts_of(node)[0], answer) < 0) {
            return -1;
        }
        *answer = *answer == MAYBE ? MAYBE : *answer == NO ? YES : NO;
        return 0;
    case OP_OFTEN:
        return often(self, node, answer);
    case OP_FEATURE:
        *answer = self->seen_features[node->argument] == self->article ? YES : NO;
        return 0;
    case OP_UNKNOWN:
        *answer = MAYBE;
        return 0;
    default:
        return has_place(self, number, answer);
    }
}

int truth(Engine *self, uint32_t number, int *answer)
{
    uint32_t known = self->nodes[number].truth;
    if (known >> 2 == self->article) {
        *answer = known & 3;
        return 0;
    }
    if (spend(self, 1) < 0 || work_out(self, number, answer) < 0) {
        return -1;
    }
    self->nodes[number].truth = self->article << 2 | (uint32_t)*answer;
    return 0;
}
