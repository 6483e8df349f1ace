/* Taking in an article: which words, pairs and patterns that somebody asks for it has, and which queries those lead to. */
#include "engine.h"

static void mark(Engine *self, uint32_t feature)
{
    if (self->seen_features[feature] == self->article) {
        return;
    }
    self->seen_features[feature] = self->article;
    self->present[self->n_present++] = feature; /* there is room for every feature */
    const Feature *found = &self->features[feature];
    for (uint32_t i = 0; i < found->n_groups; i++) {
        mark(self, found->groups[i]);
    }
}

/* Return the word of each spelling of a text, 0 where nobody asks for it. */
static uint32_t *words_of(Engine *self, const Scanned *text)
{
    uint32_t *numbers = arena_take(&self->arena, ((size_t)text->n_spellings + 1) * sizeof *numbers);
    for (uint32_t i = 0; numbers && i < text->n_spellings; i++) {
        int is_word = text->uses[i] & AS_WORD;
        numbers[i] = 0;
        if (is_word && self->n_asked_patterns) {
            if (see_word(self, text->spellings[i], &numbers[i]) < 0 || match_patterns(self, numbers[i]) < 0) {
                return NULL;
            }
        } else if ((is_word || self->n_exacts) && find_word(self, text->spellings[i], &numbers[i]) < 0) {
            return NULL;
        }
    }
    return numbers;
}

static int lay_out(Engine *self)
{
    size_t end = 1; /* no word has position 0 */
    for (int f = 0; f < FIELDS; f++) {
        self->bases[f] = (uint32_t)end;
        end += (size_t)self->fields[f]->n_tokens + GAP;
        if (end > INT32_MAX) {
            return -1;
        }
    }
    self->bases[FIELDS] = (uint32_t)end;
    if (RESERVE(self->tokens, self->room_tokens, end) < 0 || RESERVE(self->exacts, self->room_exacts, end) < 0) {
        return -1;
    }
    self->tokens[0] = 0;
    for (int f = 0; f < FIELDS; f++) {
        uint32_t gap = self->bases[f] + self->fields[f]->n_tokens;
        memset(self->tokens + gap, 0, GAP * sizeof *self->tokens);
    }
    return 0;
}

static void count_word(Engine *self, uint32_t number)
{
    Word *word = &self->words[number];
    if (word->seen != self->article) {
        word->seen = self->article;
        word->count = 0;
    }
    word->count++;
}

static int compare_places(const void *a, const void *b)
{
    const Place *one = a, *other = b;
    return one->first != other->first ? (one->first < other->first ? -1 : 1)
                                      : (one->last > other->last) - (one->last < other->last);
}

/* Set where the places of each word will be; tell of the features that it is or has. */
static int open_words(Engine *self, const uint32_t *numbers, uint32_t count, uint32_t *end)
{
    for (uint32_t i = 0; i < count; i++) {
        Word *word = &self->words[numbers[i]];
        if (!numbers[i] || word->seen != self->article || word->place) {
            continue;
        }
        word->place = *end;
        *end += word->count;
        word->count = 0;
        if (word->feature) {
            mark(self, word->feature);
        }
        for (uint32_t p = 0; p < word->n_patterns; p++) {
            Pattern *pattern = &self->patterns[word->patterns[p]];
            if (pattern->seen != self->article) {
                pattern->seen = self->article;
                pattern->words = 0;
            }
            if (RESERVE(self->hits, self->room_hits, (size_t)self->n_hits + 1) < 0) {
                return -1;
            }
            self->hits[self->n_hits] = (Hit){numbers[i], pattern->words};
            pattern->words = self->n_hits++;
            if (pattern->feature) {
                mark(self, pattern->feature);
            }
        }
    }
    return 0;
}

static void add_place(Engine *self, uint32_t number, uint32_t first, uint32_t last, uint32_t exact)
{
    Word *word = &self->words[number];
    self->places[word->place + word->count++] = (Place){first, last, exact};
}

static void has_pair(Engine *self, uint32_t a, uint32_t b)
{
    uint32_t feature;
    if (a && b && self->words[a].pairs && map_find(&self->pairs, (uint64_t)a << 32 | b, &feature)) {
        mark(self, feature);
    }
}

/* --- other spellings --- */

static int compare_others(const void *a, const void *b)
{
    const Place *one = a, *other = b;
    return (one->first > other->first) - (one->first < other->first);
}

/* Tell of what stands side by side where at least one of the two is another spelling; `exact` is its word here. */
static void pair_others(Engine *self, Place *others, uint32_t count)
{
    qsort(others, count, sizeof *others, compare_others);
    for (uint32_t i = 0; i < count; i++) {
        const Place *one = &others[i];
        has_pair(self, self->tokens[one->first - 1], one->exact);
        has_pair(self, one->exact, self->tokens[one->last + 1]);
        uint32_t low = i, high = count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (others[middle].first <= one->last) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for (; low < count && others[low].first == one->last + 1; low++) {
            has_pair(self, one->exact, others[low].exact);
        }
    }
}

static int add_others(Engine *self, uint32_t *const numbers[FIELDS])
{
    size_t total = 0;
    uint32_t count = 0;
    for (int f = 0; f < FIELDS; f++) {
        total += self->fields[f]->n_others;
    }
    Place *others = arena_take(&self->arena, (total + 1) * sizeof *others);
    if (!others) {
        return -1;
    }
    for (int f = 0; f < FIELDS; f++) {
        for (uint32_t i = 0; i < self->fields[f]->n_others; i++) {
            const Other *other = &self->fields[f]->others[i];
            uint32_t number = numbers[f][other->word], base = self->bases[f];
            if (number) {
                add_place(self, number, base + other->first, base + other->last, numbers[f][other->exact]);
                self->words[number].aliased = self->article;
                others[count++] = (Place){base + other->first, base + other->last, number};
            }
        }
    }
    /* What was added last stands before other places. */
    for (uint32_t i = 0; i < count; i++) {
        Word *word = &self->words[others[i].exact];
        if (word->sorted != self->article) {
            word->sorted = self->article;
            qsort(self->places + word->place, word->count, sizeof *self->places, compare_places);
        }
    }
    pair_others(self, others, count);
    return 0;
}

static int read_places(Engine *self, uint32_t *const numbers[FIELDS])
{
    size_t total = 0;
    for (int f = 0; f < FIELDS; f++) {
        const Scanned *field = self->fields[f];
        total += (size_t)field->n_tokens + field->n_others;
        for (uint32_t i = 0; i < field->n_tokens; i++) {
            count_word(self, numbers[f][field->tokens[i].word]);
        }
        for (uint32_t i = 0; i < field->n_others; i++) {
            count_word(self, numbers[f][field->others[i].word]);
        }
    }
    if (RESERVE(self->places, self->room_places, total + 1) < 0) {
        return -1;
    }
    uint32_t end = 1; /* a word whose place is 0 has none yet */
    for (int f = 0; f < FIELDS; f++) {
        for (uint32_t i = 0; i < self->fields[f]->n_spellings; i++) {
            self->words[numbers[f][i]].place = 0;
        }
    }
    for (int f = 0; f < FIELDS; f++) {
        if (open_words(self, numbers[f], self->fields[f]->n_spellings, &end) < 0) {
            return -1;
        }
    }
    for (int f = 0; f < FIELDS; f++) {
        const Scanned *field = self->fields[f];
        uint32_t base = self->bases[f];
        for (uint32_t i = 0; i < field->n_tokens; i++) {
            uint32_t number = numbers[f][field->tokens[i].word];
            self->tokens[base + i] = number;
            self->exacts[base + i] = numbers[f][field->tokens[i].exact];
            if (number) {
                add_place(self, number, base + i, base + i, self->exacts[base + i]);
                has_pair(self, self->tokens[base + i - 1], number);
            }
        }
    }
    return add_others(self, numbers);
}

static int mark_extras(Engine *self, PyObject *extras)
{
    Py_ssize_t count = PyTuple_Size(extras);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *known = PyDict_GetItemWithError(self->features_by_object, PyTuple_GetItem(extras, i));
        if (known) {
            mark(self, (uint32_t)PyLong_AsUnsignedLong(known));
        } else if (PyErr_Occurred()) {
            return -1;
        }
    }
    return count < 0 ? -1 : 0;
}

/* After 2^28 articles begin to count again. */
static void next_article(Engine *self)
{
    if (self->article++ < (UINT32_MAX >> 4)) {
        return;
    }
    self->article = 1;
    memset(self->seen_features, 0, self->n_features * sizeof *self->seen_features);
    for (uint32_t i = 0; i < self->n_words; i++) {
        self->words[i].seen = self->words[i].aliased = self->words[i].sorted = 0;
    }
    for (uint32_t i = 0; i < self->n_patterns; i++) {
        self->patterns[i].seen = 0;
    }
    for (uint32_t i = 0; i < self->n_nodes; i++) {
        self->nodes[i].truth = 0;
    }
    for (uint32_t i = 0; i < self->n_memos; i++) {
        self->memos[i].found_in = self->memos[i].leaves_in = 0;
    }
    for (uint32_t i = 0; i < self->n_queries; i++) {
        self->queries[i].seen = 0;
    }
}

int read_article(Engine *self, PyObject *extras)
{
    next_article(self);
    arena_reset(&self->arena);
    self->n_present = self->n_candidates = 0;
    self->n_hits = 1; /* the first is none */
    if (RESERVE(self->present, self->room_present, (size_t)self->n_features) < 0 ||
        RESERVE(self->hits, self->room_hits, 1) < 0 || forget_unasked(self) < 0 || lay_out(self) < 0) {
        return -1;
    }
    uint32_t *numbers[FIELDS];
    for (int f = 0; f < FIELDS; f++) {
        numbers[f] = words_of(self, self->fields[f]);
        if (!numbers[f]) {
            return -1;
        }
    }
    mark(self, 0);
    return read_places(self, numbers) < 0 || mark_extras(self, extras) < 0 ? -1 : 0;
}

enum { AHEAD = 16 };

/* Gather the queries whose two rarest features are there, each once. */
int find_candidates(Engine *self)
{
    for (uint32_t i = 0; i < self->n_present; i++) {
        const Feature *feature = &self->features[self->present[i]];
        if (spend(self, feature->n_postings + 1) < 0) {
            return -1;
        }
        for (uint32_t p = 0; p < feature->n_postings; p++) {
            const Posting *posting = &feature->postings[p];
            if (p + AHEAD < feature->n_postings) {
                SOON(&self->seen_features[feature->postings[p + AHEAD].second]);
            }
            if (self->seen_features[posting->second] != self->article) {
                continue;
            }
            Query *query = &self->queries[posting->query >> 1];
            if (query->seen == self->article) {
                if (posting->query & 1) {
                    query->sure = 1;
                }
                continue;
            }
            query->seen = self->article;
            query->sure = posting->query & 1;
            if (RESERVE(self->candidates, self->room_candidates, (size_t)self->n_candidates + 1) < 0) {
                return -1;
            }
            self->candidates[self->n_candidates++] = posting->query >> 1;
        }
    }
    return 0;
}
