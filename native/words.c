/* Words and wildcards. */
#include "engine.h"

enum { MOST_SEEN = 1 << 16 };

/* --- words --- */

int find_word(Engine *self, PyObject *text, uint32_t *number)
{
    PyObject *known = PyDict_GetItemWithError(self->words_by_text, text);
    *number = known ? (uint32_t)PyLong_AsUnsignedLong(known) : 0;
    return known || !PyErr_Occurred() ? 0 : -1;
}

int see_word(Engine *self, PyObject *text, uint32_t *number)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "a word is a text");
        return -1;
    }
    if (find_word(self, text, number) < 0 || *number) {
        return *number ? 0 : -1;
    }
    uint32_t new = self->free_word ? self->free_word : self->n_words;
    if (RESERVE(self->words, self->room_words, (size_t)new + 1) < 0) {
        return -1;
    }
    PyObject *value = PyLong_FromUnsignedLong(new);
    if (!value || PyDict_SetItem(self->words_by_text, text, value) < 0) {
        Py_XDECREF(value);
        return -1;
    }
    Py_DECREF(value);
    if (self->free_word) {
        self->free_word = self->words[new].place;
    } else {
        self->n_words++;
    }
    Py_INCREF(text);
    self->words[new] = (Word){.text = text};
    self->n_seen_words++;
    *number = new;
    return 0;
}

int word_of(Engine *self, PyObject *text, uint32_t *number)
{
    if (see_word(self, text, number) < 0) {
        return -1;
    }
    if (!self->words[*number].asked++) {
        self->n_seen_words--;
        self->live++;
    }
    return 0;
}

static void drop_word(Engine *self, uint32_t number)
{
    Word *word = &self->words[number];
    if (PyDict_DelItem(self->words_by_text, word->text) < 0) {
        PyErr_Clear();
    }
    Py_CLEAR(word->text);
    free(word->patterns);
    *word = (Word){.place = self->free_word};
    self->free_word = number;
}

void release_word(Engine *self, uint32_t number)
{
    if (!--self->words[number].asked) {
        self->live--;
        drop_word(self, number);
    }
}

/* Words that articles brought are remembered for the patterns they match; not without end. */
int forget_unasked(Engine *self)
{
    if (self->n_seen_words <= MOST_SEEN) {
        return 0;
    }
    for (uint32_t i = 1; i < self->n_words; i++) {
        if (self->words[i].text && !self->words[i].asked) {
            drop_word(self, i);
        }
    }
    self->n_seen_words = 0;
    return 0;
}

/* --- wildcards --- */

static int is_wild(uint32_t letter)
{
    return letter == '*' || letter == '?';
}

/* Return what every word of the pattern has as its first or last three letters, as one number. */
static uint64_t edge_of(const uint32_t *letters)
{
    return (uint64_t)letters[0] << 42 | (uint64_t)letters[1] << 21 | letters[2];
}

enum { EDGE = 3 };
static const uint64_t AT_END = 1ULL << 63, NO_EDGE = UINT64_MAX;

static uint64_t edge_of_pattern(const Pattern *pattern)
{
    const uint32_t *text = pattern->text;
    uint32_t length = pattern->length;
    if (length >= EDGE && !is_wild(text[0]) && !is_wild(text[1]) && !is_wild(text[2])) {
        return edge_of(text) ? edge_of(text) : NO_EDGE;
    }
    if (length >= EDGE && !is_wild(text[length - 1]) && !is_wild(text[length - 2]) && !is_wild(text[length - 3])) {
        return edge_of(text + length - EDGE) | AT_END;
    }
    return NO_EDGE;
}

int pattern_of(Engine *self, PyObject *text, uint32_t *number)
{
    PyObject *known = PyDict_GetItemWithError(self->features_by_object, text);
    if (known) {
        *number = (uint32_t)PyLong_AsUnsignedLong(known);
        self->patterns[*number].asked++;
        return 0;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    uint32_t new = self->free_pattern ? self->free_pattern : self->n_patterns;
    Py_ssize_t length = PyUnicode_GetLength(text);
    if (length < 0 || RESERVE(self->patterns, self->room_patterns, (size_t)new + 1) < 0) {
        return -1;
    }
    Pattern pattern = {.length = (uint32_t)length, .asked = 1};
    pattern.text = malloc(((size_t)length + 1) * sizeof *pattern.text);
    PyObject *value = PyLong_FromUnsignedLong(new);
    if (!pattern.text || !value || !PyUnicode_AsUCS4(text, (Py_UCS4 *)pattern.text, length + 1, 1)) {
        goto failed;
    }
    uint64_t edge = edge_of_pattern(&pattern);
    map_find(&self->edges, edge, &pattern.next);
    if (PyDict_SetItem(self->features_by_object, text, value) < 0) {
        goto failed;
    }
    if (map_put(&self->edges, edge, new) < 0) {
        PyDict_DelItem(self->features_by_object, text);
        goto failed;
    }
    Py_DECREF(value);
    Py_INCREF(text);
    pattern.object = text;
    if (self->free_pattern) {
        self->free_pattern = self->patterns[new].next;
    } else {
        self->n_patterns++;
    }
    self->patterns[new] = pattern;
    self->n_asked_patterns++;
    self->generation++;
    self->live++;
    *number = new;
    return 0;
failed:
    free(pattern.text);
    Py_XDECREF(value);
    return -1;
}

void release_pattern(Engine *self, uint32_t number)
{
    Pattern *pattern = &self->patterns[number];
    if (--pattern->asked) {
        return;
    }
    uint64_t edge = edge_of_pattern(pattern);
    uint32_t before = 0;
    map_find(&self->edges, edge, &before);
    if (before != number) {
        while (self->patterns[before].next != number) {
            before = self->patterns[before].next;
        }
        self->patterns[before].next = pattern->next;
    } else if (pattern->next) {
        map_put(&self->edges, edge, pattern->next); /* the key is there: cannot fail */
    } else {
        map_drop(&self->edges, edge);
    }
    if (PyDict_DelItem(self->features_by_object, pattern->object) < 0) {
        PyErr_Clear();
    }
    Py_DECREF(pattern->object);
    free(pattern->text);
    *pattern = (Pattern){.next = self->free_pattern};
    self->free_pattern = number;
    self->n_asked_patterns--;
    self->generation++;
    self->live--;
}

/* Tell whether a word is of a pattern: at each mismatch the last star takes one letter more. */
static int is_of(const Pattern *pattern, const uint32_t *word, uint32_t length)
{
    uint32_t at = 0, in = 0, star = UINT32_MAX, taken = 0;
    while (at < length) {
        if (in < pattern->length && pattern->text[in] == '*') {
            star = in++;
            taken = at;
        } else if (in < pattern->length && (pattern->text[in] == '?' || pattern->text[in] == word[at])) {
            in++;
            at++;
        } else if (star != UINT32_MAX) {
            in = star + 1;
            at = ++taken;
        } else {
            return 0;
        }
    }
    while (in < pattern->length && pattern->text[in] == '*') {
        in++;
    }
    return in == pattern->length;
}

static int try_edge(Engine *self, Word *word, uint64_t edge, const uint32_t *text, uint32_t length)
{
    uint32_t number = 0;
    map_find(&self->edges, edge, &number);
    for (; number; number = self->patterns[number].next) {
        if (spend(self, length) < 0) {
            return -1;
        }
        if (is_of(&self->patterns[number], text, length)) {
            if (RESERVE(word->patterns, word->room_patterns, (size_t)word->n_patterns + 1) < 0) {
                return -1;
            }
            word->patterns[word->n_patterns++] = number;
        }
    }
    return 0;
}

/* Find the patterns that a word is of, unless they are known. */
int match_patterns(Engine *self, uint32_t number)
{
    Word *word = &self->words[number];
    if (word->generation == self->generation) {
        return 0;
    }
    Py_UCS4 few[64], *text = few;
    Py_ssize_t length = PyUnicode_GetLength(word->text);
    if (length > 64) {
        text = malloc((size_t)length * sizeof *text);
    }
    word->n_patterns = 0;
    int failed = !text || !PyUnicode_AsUCS4(word->text, text, length, 0) ||
                 try_edge(self, word, NO_EDGE, text, (uint32_t)length) < 0;
    if (!failed && length >= EDGE) {
        uint64_t begin = edge_of(text);
        failed = (begin && try_edge(self, word, begin, text, (uint32_t)length) < 0) ||
                 try_edge(self, word, edge_of(text + length - EDGE) | AT_END, text, (uint32_t)length) < 0;
    }
    if (text != few) {
        free(text);
    }
    if (failed) {
        return -1;
    }
    word->generation = self->generation;
    return 0;
}
