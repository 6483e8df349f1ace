/* Where parts of queries stand: the operators of `monitor/core/engine/occurrences.py`.
 *
 * Each node that has places is worked out once an article. Occurrences are sorted by (first, last), one for each place.
 */
#include "engine.h"

typedef struct {
    Occurrence *items;
    uint32_t count, room;
} Found;

static int add(Found *found, uint32_t first, uint32_t last, const Leaf *leaves, uint32_t n_leaves)
{
    if (RESERVE(found->items, found->room, (size_t)found->count + 1) < 0) {
        return -1;
    }
    found->items[found->count++] = (Occurrence){first, last, n_leaves, leaves};
    return 0;
}

static int compare_found(const void *a, const void *b)
{
    const Occurrence *one = a, *other = b;
    return one->first != other->first ? (one->first < other->first ? -1 : 1)
                                      : (one->last > other->last) - (one->last < other->last);
}

static int is_sorted(const Found *found)
{
    for (uint32_t i = 1; i < found->count; i++) {
        if (compare_found(&found->items[i - 1], &found->items[i]) > 0) {
            return 0;
        }
    }
    return 1;
}

static int sort(Engine *self, Found *found)
{
    if (is_sorted(found)) {
        return 0;
    }
    if (spend(self, found->count) < 0) {
        return -1;
    }
    qsort(found->items, found->count, sizeof *found->items, compare_found);
    return 0;
}

static int in_mask(const Engine *self, const Node *node, uint32_t position)
{
    int field = position < self->bases[1] ? TITLE : position < self->bases[2] ? SUMMARY : BODY;
    return node->mask & field;
}

/* --- terms --- */

static int word_places(Engine *self, const Node *node, uint32_t number, Found *found)
{
    const Word *word = &self->words[number];
    if (word->seen != self->article) {
        return 0;
    }
    for (uint32_t i = 0; i < word->count; i++) {
        const Place *place = &self->places[word->place + i];
        int wanted = in_mask(self, node, place->first) && (node->op != OP_EXACT || place->exact == node->other);
        if (wanted && add(found, place->first, place->last, NULL, 0) < 0) {
            return -1;
        }
    }
    return spend(self, word->count);
}

static int pattern_places(Engine *self, const Node *node, Found *found)
{
    const Pattern *pattern = &self->patterns[node->argument];
    uint32_t hit = pattern->seen == self->article ? pattern->words : 0;
    for (; hit; hit = self->hits[hit].next) {
        if (word_places(self, node, self->hits[hit].word, found) < 0) {
            return -1;
        }
    }
    return sort(self, found);
}

/* A phrase of plain words, none of them another spelling somewhere, is compared word for word. */
static int is_plain(const Engine *self, const Node *node)
{
    for (uint32_t i = 0; i < node->n_parts; i++) {
        const Node *part = &self->nodes[parts_of(node)[i]];
        if (part->op != OP_WORD || self->words[part->argument].aliased == self->article) {
            return 0;
        }
    }
    return 1;
}

static int may_stand(const Engine *self, const Node *node)
{
    for (uint32_t i = 0; i < node->n_parts; i++) {
        const Node *part = &self->nodes[parts_of(node)[i]];
        if (part->op != OP_WILD && self->words[part->argument].seen != self->article) {
            return 0;
        }
    }
    return 1;
}

static int plain_phrase(Engine *self, const Node *node, Found *found)
{
    const uint32_t *parts = parts_of(node);
    const Word *word = &self->words[self->nodes[parts[0]].argument];
    for (uint32_t i = 0; i < word->count; i++) {
        uint32_t first = self->places[word->place + i].first, length = 1;
        while (length < node->n_parts && self->tokens[first + length] == self->nodes[parts[length]].argument) {
            length++;
        }
        if (spend(self, length) < 0) {
            return -1;
        }
        if (length == node->n_parts && in_mask(self, node, first) &&
            add(found, first, first + length - 1, NULL, 0) < 0) {
            return -1;
        }
    }
    return 0;
}

static int compare_ends(const void *a, const void *b)
{
    const Occurrence *one = a, *other = b;
    return one->last != other->last ? (one->last < other->last ? -1 : 1)
                                    : (one->first > other->first) - (one->first < other->first);
}

/* Return the first of those sorted by their ends that ends at `last` or later. */
static uint32_t first_ending(const Occurrence *by_end, uint32_t count, uint32_t last)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (by_end[middle].last < last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void keep_each_once(Found *found)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < found->count; i++) {
        if (!kept || compare_found(&found->items[kept - 1], &found->items[i]) != 0) {
            found->items[kept++] = found->items[i];
        }
    }
    found->count = kept;
}

/* Join the sequences found so far with the places of the next part. */
static int extend(Engine *self, Found *found, const Memo *next)
{
    Found extended = {0};
    qsort(found->items, found->count, sizeof *found->items, compare_ends);
    int failed = 0;
    for (uint32_t i = 0; i < next->n_found && !failed; i++) {
        const Occurrence *place = &next->found[i];
        uint32_t at = first_ending(found->items, found->count, place->first - 1);
        for (; at < found->count && found->items[at].last == place->first - 1 && !failed; at++) {
            failed = add(&extended, found->items[at].first, place->last, NULL, 0) < 0 || spend(self, 1) < 0;
        }
    }
    free(found->items);
    *found = extended;
    if (!failed && sort(self, found) == 0) {
        keep_each_once(found);
        return 0;
    }
    return -1;
}

static int phrase_places(Engine *self, uint32_t number, Found *found)
{
    const Node *node = &self->nodes[number];
    if (!may_stand(self, node)) {
        return 0;
    }
    if (is_plain(self, node)) {
        return plain_phrase(self, node, found);
    }
    for (uint32_t i = 0; i < node->n_parts; i++) {
        const Memo *part;
        if (occurrences(self, parts_of(node)[i], &part) < 0) {
            return -1;
        }
        if (i == 0) {
            for (uint32_t p = 0; p < part->n_found; p++) {
                if (add(found, part->found[p].first, part->found[p].last, NULL, 0) < 0) {
                    return -1;
                }
            }
        } else if (extend(self, found, part) < 0) {
            return -1;
        }
        if (!found->count) {
            break;
        }
    }
    return 0;
}

/* --- alternatives --- */

/* Return the leaves of an occurrence of a part: its own, or itself. */
static const Leaf *leaves_at(Engine *self, const Occurrence *one, uint32_t memo, uint32_t *count)
{
    if (one->n_leaves) {
        *count = one->n_leaves;
        return one->leaves;
    }
    Leaf *leaf = arena_take(&self->arena, sizeof *leaf);
    if (leaf) {
        *leaf = (Leaf){one->first, one->last, memo};
    }
    *count = 1;
    return leaf;
}

/* Make one occurrence of those at one place, with the leaves of all. */
static int merge(Engine *self, Found *found)
{
    if (sort(self, found) < 0) {
        return -1;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < found->count;) {
        uint32_t end = i, total = 0;
        while (end < found->count && compare_found(&found->items[i], &found->items[end]) == 0) {
            total += found->items[end++].n_leaves;
        }
        Occurrence one = found->items[i];
        if (end - i > 1 && total) {
            Leaf *together = arena_take(&self->arena, total * sizeof *together);
            if (!together || spend(self, total) < 0) {
                return -1;
            }
            uint32_t at = 0;
            for (uint32_t j = i; j < end; j++) {
                memcpy(together + at, found->items[j].leaves, found->items[j].n_leaves * sizeof *together);
                at += found->items[j].n_leaves;
            }
            one.leaves = together;
            one.n_leaves = total;
            if (sort_leaves(self, together, &one.n_leaves) < 0) {
                return -1;
            }
        }
        found->items[kept++] = one;
        i = end;
    }
    found->count = kept;
    return 0;
}

static int any_places(Engine *self, uint32_t number, Found *found)
{
    int is_union = self->nodes[number].op == OP_UNION;
    for (uint32_t i = 0; i < self->nodes[number].n_parts; i++) {
        uint32_t part = parts_of(&self->nodes[number])[i];
        const Memo *memo;
        if (occurrences(self, part, &memo) < 0) {
            return -1;
        }
        for (uint32_t p = 0; p < memo->n_found; p++) {
            const Occurrence *one = &memo->found[p];
            uint32_t count = 0;
            const Leaf *leaves = is_union ? NULL : leaves_at(self, one, self->nodes[part].memo, &count);
            if ((count && !leaves) || add(found, one->first, one->last, leaves, count) < 0) {
                return -1;
            }
        }
        if (spend(self, memo->n_found + 1) < 0) {
            return -1;
        }
    }
    return merge(self, found);
}

/* --- proximity --- */

/* Return the first that begins after `position`. */
static uint32_t first_after(const Memo *memo, uint32_t position)
{
    uint32_t low = 0, high = memo->n_found;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memo->found[middle].first <= position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Return the occurrences sorted by their ends. */
static Occurrence *by_ends(Engine *self, const Memo *memo)
{
    Occurrence *sorted = arena_take(&self->arena, ((size_t)memo->n_found + 1) * sizeof *sorted);
    if (!sorted || spend(self, memo->n_found) < 0) {
        return NULL;
    }
    if (memo->n_found) {
        memcpy(sorted, memo->found, memo->n_found * sizeof *sorted);
    }
    for (uint32_t i = 1; i < memo->n_found; i++) {
        if (compare_ends(&sorted[i - 1], &sorted[i]) > 0) {
            qsort(sorted, memo->n_found, sizeof *sorted, compare_ends);
            break;
        }
    }
    return sorted;
}

/* One side of a proximity: what was found, and the memo of its node. */
typedef struct {
    const Memo *memo;
    uint32_t number;
} Side;

static int side_of(Engine *self, uint32_t part, Side *side)
{
    side->number = self->nodes[part].memo;
    return occurrences(self, part, &side->memo);
}

static int pair(Engine *self, const Side *a, const Occurrence *one, const Side *b, const Occurrence *other, Found *found)
{
    uint32_t n_one, n_other;
    const Leaf *of_one = leaves_at(self, one, a->number, &n_one);
    const Leaf *of_other = leaves_at(self, other, b->number, &n_other);
    Leaf *both = arena_take(&self->arena, ((size_t)n_one + n_other) * sizeof *both);
    if (!of_one || !of_other || !both || spend(self, n_one + n_other) < 0) {
        return -1;
    }
    memcpy(both, of_one, n_one * sizeof *both);
    memcpy(both + n_one, of_other, n_other * sizeof *both);
    uint32_t last = one->last > other->last ? one->last : other->last;
    return add(found, one->first, last, both, n_one + n_other);
}

/* Pair each of the earlier with the next of the later, and each of the later with the one of the earlier before it. */
static int pair_neighbours(Engine *self, const Side *earlier, const Side *later, uint32_t words, Found *found)
{
    const Memo *before = earlier->memo, *after = later->memo;
    for (uint32_t i = 0; i < before->n_found; i++) {
        const Occurrence *one = &before->found[i];
        uint32_t next = first_after(after, one->last);
        if (next < after->n_found && after->found[next].first - one->last - 1 <= words &&
            pair(self, earlier, one, later, &after->found[next], found) < 0) {
            return -1;
        }
    }
    Occurrence *sorted = by_ends(self, before);
    if (!sorted) {
        return -1;
    }
    for (uint32_t i = 0; i < after->n_found; i++) {
        const Occurrence *one = &after->found[i];
        uint32_t next = first_ending(sorted, before->n_found, one->first);
        if (next && one->first - sorted[next - 1].last - 1 <= words &&
            pair(self, earlier, &sorted[next - 1], later, one, found) < 0) {
            return -1;
        }
    }
    return spend(self, before->n_found + after->n_found);
}

static int near_places(Engine *self, const Node *node, Found *found)
{
    Side left, right;
    uint32_t words = node->argument, ordered = node->other;
    uint32_t one = parts_of(node)[0], other = parts_of(node)[1];
    if (side_of(self, one, &left) < 0 || side_of(self, other, &right) < 0 ||
        pair_neighbours(self, &left, &right, words, found) < 0 ||
        (!ordered && pair_neighbours(self, &right, &left, words, found) < 0)) {
        return -1;
    }
    return merge(self, found);
}

/* Tell whether one of the later begins within reach of the end of one of the earlier. */
static int follows(Engine *self, const Memo *earlier, const Memo *later, uint32_t reach)
{
    for (uint32_t i = 0; i < earlier->n_found; i++) {
        uint32_t end = earlier->found[i].last, next = first_after(later, end);
        if (next < later->n_found && later->found[next].first <= end + reach) {
            return 1;
        }
    }
    return spend(self, earlier->n_found + 1);
}

int are_near(Engine *self, const Node *node)
{
    Side left, right;
    uint32_t reach = node->argument + 1, ordered = node->other;
    uint32_t one = parts_of(node)[0], other = parts_of(node)[1];
    if (side_of(self, one, &left) < 0) {
        return -1;
    }
    if (!left.memo->n_found) {
        return 0;
    }
    if (side_of(self, other, &right) < 0) {
        return -1;
    }
    int found = follows(self, left.memo, right.memo, reach);
    return found || ordered ? found : follows(self, right.memo, left.memo, reach);
}

static uint32_t count_begun(const uint32_t *sorted, uint32_t count, uint64_t limit)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sorted[middle] <= limit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return (one > other) - (one < other);
}

/* Keep what has nothing unwanted within reach, nor overlapping it; the same place is not near itself. */
static int not_near_places(Engine *self, const Node *node, Found *found)
{
    Side wanted, unwanted;
    uint32_t reach = node->argument + 1;
    uint32_t one = parts_of(node)[0], other = parts_of(node)[1];
    if (side_of(self, one, &wanted) < 0 || side_of(self, other, &unwanted) < 0) {
        return -1;
    }
    uint32_t count = unwanted.memo->n_found;
    uint32_t *firsts = arena_take(&self->arena, ((size_t)count * 2 + 1) * sizeof *firsts), *lasts = firsts + count;
    if (!firsts || spend(self, count + wanted.memo->n_found) < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        firsts[i] = unwanted.memo->found[i].first;
        lasts[i] = unwanted.memo->found[i].last;
    }
    qsort(lasts, count, sizeof *lasts, compare_numbers);
    for (uint32_t i = 0; i < wanted.memo->n_found; i++) {
        const Occurrence *place = &wanted.memo->found[i];
        uint32_t begun = count_begun(firsts, count, (uint64_t)place->last + reach);
        uint32_t over = place->first > reach ? count_begun(lasts, count, place->first - reach - 1) : 0;
        const Occurrence *same =
            count ? bsearch(place, unwanted.memo->found, count, sizeof *place, compare_found) : NULL;
        if (begun - over == (same ? 1U : 0U)) {
            uint32_t n_leaves;
            const Leaf *leaves = leaves_at(self, place, wanted.number, &n_leaves);
            if (!leaves || add(found, place->first, place->last, leaves, n_leaves) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* Keep what does not lie inside anything unwanted. */
static int outside_places(Engine *self, const Node *node, Found *found)
{
    Side wanted, unwanted;
    uint32_t one = parts_of(node)[0], other = parts_of(node)[1], furthest = 0, at = 0;
    if (side_of(self, one, &wanted) < 0 || side_of(self, other, &unwanted) < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < wanted.memo->n_found; i++) {
        const Occurrence *place = &wanted.memo->found[i];
        for (; at < unwanted.memo->n_found && unwanted.memo->found[at].first <= place->first; at++) {
            uint32_t last = unwanted.memo->found[at].last;
            furthest = last > furthest ? last : furthest;
        }
        if (!at || furthest < place->last) {
            uint32_t n_leaves;
            const Leaf *leaves = leaves_at(self, place, wanted.number, &n_leaves);
            if (!leaves || add(found, place->first, place->last, leaves, n_leaves) < 0) {
                return -1;
            }
        }
    }
    return spend(self, wanted.memo->n_found + unwanted.memo->n_found);
}

/* --- together --- */

static int find(Engine *self, uint32_t number, Found *found)
{
    const Node *node = &self->nodes[number];
    switch (node->op) {
    case OP_WORD:
    case OP_EXACT:
        return word_places(self, node, node->argument, found);
    case OP_WILD:
        return pattern_places(self, node, found);
    case OP_PHRASE:
        return phrase_places(self, number, found);
    case OP_NEAR:
        return near_places(self, node, found);
    case OP_NOT_NEAR:
        return not_near_places(self, node, found);
    case OP_EXCEPT:
        return outside_places(self, node, found);
    default:
        return any_places(self, number, found);
    }
}

int occurrences(Engine *self, uint32_t number, const Memo **found)
{
    Memo *memo = &self->memos[self->nodes[number].memo];
    *found = memo;
    if (memo->found_in == self->article) {
        return 0;
    }
    Found made = {0};
    int failed = spend(self, 1) < 0 || find(self, number, &made) < 0;
    if (!failed && self->nodes[number].op <= OP_UNION) {
        keep_each_once(&made);
    }
    Occurrence *kept = failed ? NULL : arena_take(&self->arena, ((size_t)made.count + 1) * sizeof *kept);
    if (kept && made.count) {
        memcpy(kept, made.items, made.count * sizeof *kept);
    }
    free(made.items);
    if (!kept) {
        return -1;
    }
    memo->found = kept;
    memo->n_found = made.count;
    memo->spans = NULL;
    memo->found_in = self->article;
    return 0;
}

/* --- leaves --- */

int compare_leaves(const Engine *self, const Leaf *one, const Leaf *other)
{
    if (one->first != other->first) {
        return one->first < other->first ? -1 : 1;
    }
    if (one->last != other->last) {
        return one->last < other->last ? -1 : 1;
    }
    if (one->memo == other->memo) {
        return 0;
    }
    const Memo *a = &self->memos[one->memo], *b = &self->memos[other->memo];
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Sort by merging, in memory of the article: `qsort` could not be told of the engine. */
static void merge_sort(const Engine *self, Leaf *leaves, Leaf *spare, uint32_t count)
{
    for (uint32_t i = 1; i < count && count <= 16; i++) {
        Leaf moved = leaves[i];
        uint32_t at = i;
        for (; at && compare_leaves(self, &leaves[at - 1], &moved) > 0; at--) {
            leaves[at] = leaves[at - 1];
        }
        leaves[at] = moved;
    }
    if (count <= 16) {
        return;
    }
    uint32_t half = count / 2, left = 0, right = half;
    merge_sort(self, leaves, spare, half);
    merge_sort(self, leaves + half, spare, count - half);
    memcpy(spare, leaves, count * sizeof *leaves);
    for (uint32_t i = 0; i < count; i++) {
        int from_left = left < half && (right == count || compare_leaves(self, &spare[left], &spare[right]) <= 0);
        leaves[i] = from_left ? spare[left++] : spare[right++];
    }
}

/* Sort leaves and keep each once. */
int sort_leaves(Engine *self, Leaf *leaves, uint32_t *count)
{
    Leaf *spare = *count > 16 ? arena_take(&self->arena, *count * sizeof *spare) : leaves;
    if (!spare || spend(self, *count) < 0) {
        return -1;
    }
    merge_sort(self, leaves, spare, *count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (!kept || compare_leaves(self, &leaves[kept - 1], &leaves[i]) != 0) {
            leaves[kept++] = leaves[i];
        }
    }
    *count = kept;
    return 0;
}

/* Gather the places of the terms that make up the occurrences of a node. */
int leaves(Engine *self, uint32_t number, const Memo **found)
{
    uint32_t own = self->nodes[number].memo;
    Memo *memo = &self->memos[own];
    const Memo *ignored;
    *found = memo;
    if (memo->leaves_in == self->article) {
        return 0;
    }
    if (occurrences(self, number, &ignored) < 0) {
        return -1;
    }
    size_t total = 0;
    for (uint32_t i = 0; i < memo->n_found; i++) {
        total += memo->found[i].n_leaves ? memo->found[i].n_leaves : 1;
    }
    Leaf *gathered = total > INT32_MAX ? NULL : arena_take(&self->arena, (total + 1) * sizeof *gathered);
    if (!gathered) {
        return -1;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < memo->n_found; i++) {
        const Occurrence *one = &memo->found[i];
        if (one->n_leaves) {
            memcpy(gathered + count, one->leaves, one->n_leaves * sizeof *gathered);
            count += one->n_leaves;
        } else {
            gathered[count++] = (Leaf){one->first, one->last, own};
        }
    }
    if (sort_leaves(self, gathered, &count) < 0) {
        return -1;
    }
    memo->leaves = gathered;
    memo->n_leaves = count;
    memo->leaves_in = self->article;
    return 0;
}

/* Count occurrences that do not overlap, as many as can be had. */
int count_apart(Engine *self, const Memo *memo, uint32_t *count)
{
    Occurrence *sorted = by_ends(self, memo);
    uint32_t end = 0;
    *count = 0;
    for (uint32_t i = 0; sorted && i < memo->n_found; i++) {
        if (sorted[i].first > end) {
            ++*count;
            end = sorted[i].last;
        }
    }
    return sorted ? 0 : -1;
}
