/* Cutting a text into words: the runs of `monitor/core/text/words.py`, and a memory of what each run is made of.
 *
 * What a character is, a page of 256 at a time, and what a run is made of is asked of Python once and remembered.
 */
#include "native.h"

/* What `classify` says of a character. A hyphen is a joint that is a tail. */
enum { WORD = 1, MARK = 2, JOINT = 4, STOP = 8, HEBREW = 16, QUOTE = 32, BY_CHARACTER = 64, TAIL = 128 };
enum { LETTER = WORD | MARK, HYPHEN = JOINT | TAIL };

enum {
    PAGES = 0x1100,
    LONGEST_REMEMBERED = 64, /* longer runs are rare and would let one article fill the memory */
    MOST_RUNS = 1 << 16,
};

static const uint32_t NONE = UINT32_MAX;

typedef struct {
    uint32_t *text;   /* followed by words and others in one piece of memory */
    Token *words;     /* counted from the start of the run; spellings of the scanner */
    Other *others;    /* likewise */
    uint32_t length, n_words, n_others, next;
} Run;

typedef struct {
    PyObject *text;
    uint64_t scan;  /* in which scan it was met last, */
    uint32_t place; /* and its place in the spellings of that text */
} Spelling;

typedef struct {
    PyObject_HEAD
    PyObject *classify, *resolve;
    PyObject *known; /* spelling -> its number */
    Map by_hash;
    Run *runs;
    Spelling *spellings;
    uint32_t n_runs, n_spellings, room_runs, room_spellings;
    uint64_t scans, seed, factor;
    uint8_t *pages[PAGES];
} Scanner;

/* One scan under way. Another thread may begin one of its own while `resolve` is asked. */
typedef struct {
    Scanner *scanner;
    uint64_t id;
    const uint32_t *text;
    uint32_t length;
    Scanned *out;
} Scan;

static void forget(Scanner *self)
{
    for (uint32_t i = 0; i < self->n_runs; i++) {
        free(self->runs[i].text);
    }
    self->n_runs = 0;
    map_free(&self->by_hash);
    for (uint32_t i = 0; i < self->n_spellings; i++) {
        Py_DECREF(self->spellings[i].text);
    }
    self->n_spellings = 0;
    PyDict_Clear(self->known);
}

static int load_page(Scanner *self, uint32_t page)
{
    PyObject *classes = PyObject_CallFunction(self->classify, "I", (unsigned int)page);
    if (!classes) {
        return -1;
    }
    char *bytes;
    Py_ssize_t size;
    int failed = PyBytes_AsStringAndSize(classes, &bytes, &size);
    if (!failed && size != 256) {
        PyErr_SetString(PyExc_ValueError, "a page has 256 characters");
        failed = -1;
    }
    if (!failed && !self->pages[page]) {
        self->pages[page] = malloc(256);
        failed = self->pages[page] ? 0 : -1;
    }
    if (!failed) {
        memcpy(self->pages[page], bytes, 256);
    }
    Py_DECREF(classes);
    return failed;
}

/* Every page that the text needs must be there before its characters are looked at. */
static int load_pages(Scanner *self, const uint32_t *text, uint32_t length)
{
    uint32_t last = NONE;
    for (uint32_t i = 0; i < length; i++) {
        uint32_t page = text[i] >> 8;
        if (page != last && !self->pages[page] && load_page(self, page) < 0) {
            return -1;
        }
        last = page;
    }
    return 0;
}

static inline uint8_t class_at(const Scan *scan, uint32_t at)
{
    uint32_t code = scan->text[at];
    return scan->scanner->pages[code >> 8][code & 255];
}

/* Return where the letters from `at` on end, and put their classes together. */
static inline uint32_t letters(const Scan *scan, uint32_t at, uint8_t *classes)
{
    for (; at < scan->length; at++) {
        uint8_t class = class_at(scan, at);
        if (!(class & LETTER)) {
            break;
        }
        *classes |= class;
    }
    return at;
}

/* Return where the run that begins at `start` ends, and what is in it: BY_CHARACTER, and JOINT for a hyphen. */
static uint32_t run_end(const Scan *scan, uint32_t start, uint8_t *classes)
{
    *classes = 0;
    uint32_t at = letters(scan, start, classes);
    while (at < scan->length) {
        uint8_t class = class_at(scan, at);
        uint32_t next = at + 1;
        if (class & STOP && next < scan->length && class_at(scan, next) & JOINT) {
            next++;
        } else if (class & QUOTE) {
            int between = class_at(scan, at - 1) & HEBREW && next < scan->length && class_at(scan, next) & HEBREW;
            if (!between) {
                break;
            }
        } else if (!(class & (STOP | JOINT))) {
            break;
        }
        uint32_t end = letters(scan, next, classes);
        if (end == next) {
            break;
        }
        if ((class_at(scan, next - 1) & HYPHEN) == HYPHEN) {
            *classes |= JOINT;
        }
        at = end;
    }
    return at;
}

/* --- spellings --- */

/* Return the number of a spelling in the memory of the scanner. */
static int number_of(Scanner *self, PyObject *spelling, uint32_t *number)
{
    if (!PyUnicode_Check(spelling)) {
        PyErr_SetString(PyExc_TypeError, "a spelling is a text");
        return -1;
    }
    PyObject *known = PyDict_GetItemWithError(self->known, spelling);
    if (known) {
        *number = (uint32_t)PyLong_AsUnsignedLong(known);
        return 0;
    }
    if (PyErr_Occurred() || RESERVE(self->spellings, self->room_spellings, self->n_spellings + 1) < 0) {
        return -1;
    }
    PyObject *new = PyLong_FromUnsignedLong(self->n_spellings);
    if (!new || PyDict_SetItem(self->known, spelling, new) < 0) {
        Py_XDECREF(new);
        return -1;
    }
    Py_DECREF(new);
    Py_INCREF(spelling);
    *number = self->n_spellings;
    self->spellings[self->n_spellings++] = (Spelling){spelling, 0, 0};
    return 0;
}

static int add_spelling(Scanned *out, PyObject *text, uint32_t *place)
{
    if (RESERVE(out->spellings, out->room_spellings, out->n_spellings + 1) < 0 ||
        RESERVE(out->uses, out->room_uses, out->n_spellings + 1) < 0) {
        return -1;
    }
    Py_INCREF(text);
    *place = out->n_spellings;
    out->uses[out->n_spellings] = 0;
    out->spellings[out->n_spellings++] = text;
    return 0;
}

static int place_of(Scan *scan, uint32_t number, uint8_t use, uint32_t *place)
{
    Spelling *spelling = &scan->scanner->spellings[number];
    if (spelling->scan != scan->id) {
        if (add_spelling(scan->out, spelling->text, &spelling->place) < 0) {
            return -1;
        }
        spelling->scan = scan->id;
    }
    scan->out->uses[spelling->place] |= use;
    *place = spelling->place;
    return 0;
}

/* --- runs --- */

/* Add the words of a run that begins at character `start`. */
static int emit(Scan *scan, const Run *run, uint32_t start)
{
    Scanned *out = scan->out;
    uint32_t first = out->n_tokens;
    if (RESERVE(out->tokens, out->room_tokens, (size_t)first + run->n_words) < 0 ||
        RESERVE(out->others, out->room_others, (size_t)out->n_others + run->n_others) < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < run->n_words; i++) {
        Token *token = &out->tokens[first + i];
        if (place_of(scan, run->words[i].word, AS_WORD, &token->word) < 0 ||
            place_of(scan, run->words[i].exact, AS_EXACT, &token->exact) < 0) {
            return -1;
        }
        token->start = start + run->words[i].start;
        token->end = start + run->words[i].end;
        out->n_tokens++;
    }
    for (uint32_t i = 0; i < run->n_others; i++) {
        Other *other = &out->others[out->n_others];
        if (place_of(scan, run->others[i].word, AS_WORD, &other->word) < 0 ||
            place_of(scan, run->others[i].exact, AS_EXACT, &other->exact) < 0) {
            return -1;
        }
        other->first = first + run->others[i].first;
        other->last = first + run->others[i].last;
        out->n_others++;
    }
    return 0;
}

/* Read what `resolve` returned: (((folded, exact, start, end), …), ((folded, exact, first, last), …)). */
static int read_pieces(Scanner *self, PyObject *pieces, uint32_t length, Run *run)
{
    PyObject *words, *others;
    if (!PyArg_ParseTuple(pieces, "O!O!", &PyTuple_Type, &words, &PyTuple_Type, &others)) {
        return -1;
    }
    Py_ssize_t n_words = PyTuple_Size(words), n_others = PyTuple_Size(others);
    size_t key = ((size_t)length * sizeof *run->text + 7) / 8 * 8;
    run->text = malloc(key + (size_t)n_words * sizeof *run->words + (size_t)n_others * sizeof *run->others + 1);
    if (!run->text) {
        return -1;
    }
    run->words = (Token *)((char *)run->text + key);
    run->others = (Other *)(run->words + n_words);
    run->length = length;
    run->n_words = (uint32_t)n_words;
    run->n_others = (uint32_t)n_others;
    for (Py_ssize_t i = 0; i < n_words + n_others; i++) {
        PyObject *piece = i < n_words ? PyTuple_GetItem(words, i) : PyTuple_GetItem(others, i - n_words);
        PyObject *folded, *exact;
        unsigned int begin, end;
        uint32_t word_number, exact_number;
        if (!PyArg_ParseTuple(piece, "OOII", &folded, &exact, &begin, &end) ||
            number_of(self, folded, &word_number) < 0 || number_of(self, exact, &exact_number) < 0) {
            return -1;
        }
        int in_place = begin <= end && (i < n_words ? end <= length : end < (size_t)n_words);
        if (!in_place) {
            PyErr_SetString(PyExc_ValueError, "a piece lies outside its run");
            return -1;
        }
        if (i < n_words) {
            run->words[i] = (Token){word_number, exact_number, begin, end};
        } else {
            run->others[i - n_words] = (Other){word_number, exact_number, begin, end};
        }
    }
    return 0;
}

static uint64_t hash_of(const Scanner *self, const uint32_t *text, uint32_t length)
{
    uint64_t hash = self->seed;
    for (uint32_t i = 0; i < length; i++) {
        hash = (((hash << 5) | (hash >> 59)) ^ text[i]) * self->factor;
    }
    return hash | 1; /* never 0 */
}

static int remember(Scanner *self, uint64_t hash, const uint32_t *text, Run *run)
{
    run->next = NONE;
    map_find(&self->by_hash, hash, &run->next);
    memcpy(run->text, text, run->length * sizeof *text);
    if (RESERVE(self->runs, self->room_runs, (size_t)self->n_runs + 1) < 0 ||
        map_put(&self->by_hash, hash, self->n_runs) < 0) {
        return -1;
    }
    self->runs[self->n_runs++] = *run;
    return 0;
}

/* Look a piece of the text up in the memory, or ask what it is made of. */
static int look_up(Scan *scan, uint32_t start, uint32_t end, PyObject *source)
{
    Scanner *self = scan->scanner;
    const uint32_t *text = scan->text + start;
    uint32_t length = end - start, found = NONE;
    int is_short = length <= LONGEST_REMEMBERED;
    uint64_t hash = is_short ? hash_of(self, text, length) : 0;
    if (is_short && map_find(&self->by_hash, hash, &found)) {
        for (; found != NONE; found = self->runs[found].next) {
            const Run *run = &self->runs[found];
            if (run->length == length && !memcmp(run->text, text, length * sizeof *text)) {
                return emit(scan, run, start);
            }
        }
    }
    PyObject *piece = PyUnicode_Substring(source, start, end);
    PyObject *pieces = piece ? PyObject_CallFunctionObjArgs(self->resolve, piece, NULL) : NULL;
    Py_XDECREF(piece);
    if (!pieces) {
        return -1;
    }
    if (self->n_runs >= MOST_RUNS || self->n_spellings >= 4 * MOST_RUNS) {
        forget(self);
    }
    Run run = {0};
    int failed = read_pieces(self, pieces, length, &run) < 0 || emit(scan, &run, start) < 0 ||
                 (is_short && remember(self, hash, text, &run) < 0);
    Py_DECREF(pieces);
    if (failed || !is_short) {
        free(run.text);
    }
    return failed ? -1 : 0;
}

/* A run without hyphens can be looked up character by character where its script is written so. */
static int take_apart(Scan *scan, uint32_t start, uint32_t end, PyObject *source)
{
    uint32_t at = start;
    while (at < end) {
        uint32_t next = at + 1;
        if (class_at(scan, at) & BY_CHARACTER) {
            while (next < end && class_at(scan, next) & TAIL) {
                next++;
            }
        } else {
            while (next < end && !(class_at(scan, next) & BY_CHARACTER)) {
                next++;
            }
        }
        if (look_up(scan, at, next, source) < 0) {
            return -1;
        }
        at = next;
    }
    return 0;
}

static int scan_all(Scan *scan, PyObject *source)
{
    uint32_t at = 0;
    while (at < scan->length) {
        if (!(class_at(scan, at) & WORD)) {
            at++;
            continue;
        }
        uint8_t classes;
        uint32_t end = run_end(scan, at, &classes);
        int apart = classes & BY_CHARACTER && !(classes & JOINT);
        if ((apart ? take_apart : look_up)(scan, at, end, source) < 0) {
            return -1;
        }
        at = end;
    }
    return 0;
}

/* --- as Python sees it --- */

static PyObject *no_memory(void)
{
    return PyErr_Occurred() ? NULL : PyErr_NoMemory();
}

/* Say where the words stand in the text that was spelled out to what was scanned. */
static int go_back(Scanned *out, PyObject *origins)
{
    for (uint32_t i = 0; i < out->n_tokens; i++) {
        Token *token = &out->tokens[i];
        PyObject *first = PyList_GetItem(origins, token->start);
        PyObject *last = PyList_GetItem(origins, (Py_ssize_t)token->end - 1);
        if (!first || !last) {
            return -1;
        }
        token->start = (uint32_t)PyLong_AsUnsignedLong(first);
        token->end = (uint32_t)PyLong_AsUnsignedLong(last) + 1;
        if (PyErr_Occurred()) {
            return -1;
        }
    }
    return 0;
}

static PyObject *scanner_scan(PyObject *object, PyObject *args)
{
    Scanner *self = (Scanner *)object;
    PyObject *source, *origins;
    if (!PyArg_ParseTuple(args, "UO:scan", &source, &origins)) {
        return NULL;
    }
    Py_ssize_t length = PyUnicode_GetLength(source);
    if (length < 0 || length > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "the text is too long");
        return NULL;
    }
    uint32_t *text = (uint32_t *)PyUnicode_AsUCS4Copy(source);
    Module *module = PyType_GetModuleState(Py_TYPE(object));
    Scanned *out = text && module ? (Scanned *)PyType_GenericAlloc(module->scanned, 0) : NULL;
    if (out) {
        Scan scan = {self, ++self->scans, text, (uint32_t)length, out};
        if (load_pages(self, text, scan.length) < 0 || scan_all(&scan, source) < 0 ||
            (origins != Py_None && go_back(out, origins) < 0)) {
            Py_CLEAR(out);
        }
    }
    PyMem_Free(text);
    return out ? (PyObject *)out : no_memory();
}

static int scanner_init(PyObject *object, PyObject *args, PyObject *named)
{
    Scanner *self = (Scanner *)object;
    PyObject *classify, *resolve;
    static char *names[] = {"classify", "resolve", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, named, "OO:Scanner", names, &classify, &resolve)) {
        return -1;
    }
    if (self->known) {
        PyErr_SetString(PyExc_TypeError, "a scanner is made once");
        return -1;
    }
    PyObject *name = PyUnicode_FromString("native");
    self->known = PyDict_New();
    if (!self->known || !name) {
        Py_XDECREF(name);
        return -1;
    }
    Py_INCREF(classify);
    Py_INCREF(resolve);
    self->classify = classify;
    self->resolve = resolve;
    /* Python's secret of this process: nobody can write words that all have one hash. */
    self->seed = mixed((uint64_t)PyObject_Hash(name));
    self->factor = mixed(self->seed + 1) | 1;
    Py_DECREF(name);
    return 0;
}

static int scanner_traverse(PyObject *object, visitproc visit, void *arg)
{
    Scanner *self = (Scanner *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->classify);
    Py_VISIT(self->resolve);
    Py_VISIT(self->known);
    return 0;
}

static int scanner_clear(PyObject *object)
{
    Scanner *self = (Scanner *)object;
    Py_CLEAR(self->classify);
    Py_CLEAR(self->resolve);
    return 0;
}

static void scanner_dealloc(PyObject *object)
{
    Scanner *self = (Scanner *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    scanner_clear(object);
    if (self->known) {
        forget(self);
        Py_CLEAR(self->known);
    }
    free(self->runs);
    free(self->spellings);
    for (uint32_t i = 0; i < PAGES; i++) {
        free(self->pages[i]);
    }
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMethodDef scanner_methods[] = {
    {"scan", scanner_scan, METH_VARARGS, "Cut a text into words. Origins say where its characters stood before it was spelled out."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot scanner_slots[] = {
    {Py_tp_doc, "Cuts texts into words. Remembers what their runs are made of."},
    {Py_tp_init, scanner_init},
    {Py_tp_traverse, scanner_traverse},
    {Py_tp_clear, scanner_clear},
    {Py_tp_dealloc, scanner_dealloc},
    {Py_tp_methods, scanner_methods},
    {0, NULL},
};

PyType_Spec scanner_spec = {
    .name = "monitor.core.native.Scanner",
    .basicsize = sizeof(Scanner),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = scanner_slots,
};

/* --- what was found --- */

static void scanned_dealloc(PyObject *object)
{
    Scanned *self = (Scanned *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (uint32_t i = 0; i < self->n_spellings; i++) {
        Py_DECREF(self->spellings[i]);
    }
    free(self->spellings);
    free(self->uses);
    free(self->tokens);
    free(self->others);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyObject *scanned_words(PyObject *object, PyObject *unused)
{
    (void)unused;
    Scanned *self = (Scanned *)object;
    PyObject *list = PyList_New(self->n_tokens);
    for (uint32_t i = 0; list && i < self->n_tokens; i++) {
        PyObject *word = self->spellings[self->tokens[i].word];
        Py_INCREF(word);
        PyList_SetItem(list, i, word);
    }
    return list;
}

static PyObject *scanned_places(PyObject *object, PyObject *unused)
{
    (void)unused;
    Scanned *self = (Scanned *)object;
    PyObject *starts = PyList_New(self->n_tokens), *ends = PyList_New(self->n_tokens);
    for (uint32_t i = 0; starts && ends && i < self->n_tokens; i++) {
        PyObject *start = PyLong_FromUnsignedLong(self->tokens[i].start);
        PyObject *end = PyLong_FromUnsignedLong(self->tokens[i].end);
        PyList_SetItem(starts, i, start);
        PyList_SetItem(ends, i, end);
        if (!start || !end) {
            Py_CLEAR(starts);
        }
    }
    PyObject *both = starts && ends ? PyTuple_Pack(2, starts, ends) : NULL;
    Py_XDECREF(starts);
    Py_XDECREF(ends);
    return both;
}

static PyObject *scanned_others(PyObject *object, PyObject *unused)
{
    (void)unused;
    Scanned *self = (Scanned *)object;
    PyObject *list = PyList_New(self->n_others);
    for (uint32_t i = 0; list && i < self->n_others; i++) {
        const Other *other = &self->others[i];
        PyObject *made = Py_BuildValue("OIIO", self->spellings[other->word], (unsigned int)other->first,
                                       (unsigned int)other->last, self->spellings[other->exact]);
        PyList_SetItem(list, i, made);
        if (!made) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyMethodDef scanned_methods[] = {
    {"words", scanned_words, METH_NOARGS, "Return the folded words in order."},
    {"places", scanned_places, METH_NOARGS, "Return where each word starts and where it ends."},
    {"others", scanned_others, METH_NOARGS, "Return other spellings: folded, first word, last word, exact form."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot scanned_slots[] = {
    {Py_tp_doc, "The words of a text."},
    {Py_tp_dealloc, scanned_dealloc},
    {Py_tp_methods, scanned_methods},
    {0, NULL},
};

PyType_Spec scanned_spec = {
    .name = "monitor.core.native.Scanned",
    .basicsize = sizeof(Scanned),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = scanned_slots,
};
