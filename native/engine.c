/* The engine as Python sees it. The caller keeps calls apart: one at a time, whichever thread it is of. */
#include "engine.h"

/* Fewer steps than this are done before another thread could have taken the interpreter over. */
enum { WORTH_LETTING_GO_TOKENS = 1 << 15, WORTH_LETTING_GO_CANDIDATES = 1 << 13 };

static int failed(void)
{
    if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    return -1;
}

int check_time(Engine *self)
{
    self->work = 0;
    if (!self->check) {
        return 0;
    }
    int let_go = self->thread != NULL;
    if (let_go) {
        PyEval_RestoreThread(self->thread);
    }
    PyObject *checked = PyObject_CallFunctionObjArgs(self->check, NULL);
    Py_XDECREF(checked);
    if (let_go) {
        self->thread = PyEval_SaveThread();
    }
    return checked ? 0 : -1;
}

static int enter(Engine *self)
{
    if (self->busy || !self->asked) {
        PyErr_SetString(PyExc_RuntimeError, "the engine is in use");
        return -1;
    }
    self->busy = 1;
    return 0;
}

/* --- rules --- */

static int read_homes(Engine *self, PyObject *described, Query *query)
{
    Py_ssize_t count = PyTuple_Size(described);
    query->homes = count < 0 ? NULL : malloc(((size_t)count + 1) * sizeof *query->homes);
    for (Py_ssize_t i = 0; query->homes && i < count; i++) {
        PyObject *first, *second;
        int sure;
        Home home;
        if (!PyArg_ParseTuple(PyTuple_GetItem(described, i), "OOp", &first, &second, &sure) ||
            feature_of(self, first, &home.first) < 0) {
            return -1;
        }
        if (feature_of(self, second, &home.second) < 0) {
            release_feature(self, home.first);
            return -1;
        }
        home.sure = (uint32_t)sure;
        query->homes[query->n_homes++] = home;
    }
    return query->homes ? 0 : -1;
}

static void drop_homes(Engine *self, Query *query)
{
    for (uint32_t i = 0; i < query->n_homes; i++) {
        release_feature(self, query->homes[i].first);
        release_feature(self, query->homes[i].second);
    }
    free(query->homes);
    Py_CLEAR(query->payload);
}

/* Make a query of a node that was none yet: `plan` says where it is to be found, and what Python needs to decide it. */
static int new_query(Engine *self, uint32_t root, PyObject *plan, uint32_t *number)
{
    PyObject *planned = PyObject_CallFunctionObjArgs(plan, NULL);
    PyObject *homes, *payload;
    Query query = {.root = root};
    if (!planned || !PyArg_ParseTuple(planned, "O!O", &PyTuple_Type, &homes, &payload)) {
        Py_XDECREF(planned);
        return -1;
    }
    if (payload != Py_None) {
        Py_INCREF(payload);
        query.payload = payload;
    }
    uint32_t new = self->free_query ? self->free_query : self->n_queries;
    int done = read_homes(self, homes, &query) == 0 &&
               RESERVE(self->queries, self->room_queries, (size_t)new + 1) == 0;
    uint32_t posted = 0;
    while (done && posted < query.n_homes) {
        done = add_posting(self, &query.homes[posted], new) == 0;
        posted += done;
    }
    Py_DECREF(planned);
    if (!done) {
        while (posted--) {
            drop_posting(self, &query.homes[posted], new);
        }
        drop_homes(self, &query);
        return -1;
    }
    if (self->free_query) {
        self->free_query = self->queries[new].next;
    } else {
        self->n_queries++;
    }
    self->queries[new] = query;
    self->nodes[root].query = new;
    self->live++;
    *number = new;
    return 0;
}

static void drop_query(Engine *self, uint32_t number)
{
    Query query = self->queries[number];
    for (uint32_t i = 0; i < query.n_homes; i++) {
        drop_posting(self, &query.homes[i], number);
    }
    drop_homes(self, &query);
    self->nodes[query.root].query = 0;
    self->queries[number] = (Query){.next = self->free_query};
    self->free_query = number;
    self->live--;
}

static void drop_carried(Rule *rule)
{
    for (int i = 0; i < CARRIED; i++) {
        Py_CLEAR(rule->carried[i]);
    }
}

/* Read what the matches of a rule carry, and whether it can expire. */
static int carry(Engine *self, Rule *rule)
{
    for (int i = 0; i < CARRIED; i++) {
        rule->carried[i] = PyObject_GetAttr(rule->rule, self->attributes[i]);
        if (!rule->carried[i]) {
            drop_carried(rule);
            return -1;
        }
    }
    PyObject *expires_at = PyObject_GetAttr(rule->rule, self->attributes[A_EXPIRES_AT]);
    if (!expires_at) {
        drop_carried(rule);
        return -1;
    }
    rule->may_expire = expires_at != Py_None;
    Py_DECREF(expires_at);
    return 0;
}

static int add_rule(Engine *self, PyObject *rule, PyObject *version, uint32_t root, PyObject *plan)
{
    uint32_t known;
    if (map_find(&self->rule_addresses, (uintptr_t)rule, &known)) {
        PyErr_SetString(PyExc_ValueError, "the rule is there already");
        return -1;
    }
    Rule made = {.rule = rule, .version = version};
    if (carry(self, &made) < 0) {
        return -1;
    }
    uint32_t query = self->nodes[root].query, new = self->free_rule ? self->free_rule : self->n_rules;
    if (RESERVE(self->rules, self->room_rules, (size_t)new + 1) < 0 ||
        map_put(&self->rule_addresses, (uintptr_t)rule, new) < 0) {
        drop_carried(&made);
        return -1;
    }
    if (query) {
        release_node(self, root); /* the query uses it already */
    } else if (new_query(self, root, plan, &query) < 0) {
        map_drop(&self->rule_addresses, (uintptr_t)rule);
        drop_carried(&made);
        return -1;
    }
    if (self->free_rule) {
        self->free_rule = self->rules[new].next;
    } else {
        self->n_rules++;
    }
    Py_INCREF(rule);
    Py_INCREF(version);
    uint32_t next = self->queries[query].rules;
    made.query = query;
    made.next = next;
    self->rules[new] = made;
    if (next) {
        self->rules[next].before = new;
    }
    self->queries[query].rules = new;
    self->live++;
    return 0;
}

static PyObject *engine_add(PyObject *object, PyObject *args)
{
    Engine *self = (Engine *)object;
    PyObject *rule, *version, *described, *plan;
    if (!PyArg_ParseTuple(args, "OOOO:add", &rule, &version, &described, &plan) || enter(self) < 0) {
        return NULL;
    }
    uint32_t root;
    int done = node_of(self, described, 0, &root);
    if (done == 0) {
        done = add_rule(self, rule, version, root, plan);
        if (done < 0) {
            release_node(self, root);
        }
    }
    self->busy = 0;
    if (done < 0) {
        failed();
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *engine_remove(PyObject *object, PyObject *rule)
{
    Engine *self = (Engine *)object;
    uint32_t number;
    if (enter(self) < 0) {
        return NULL;
    }
    if (!map_find(&self->rule_addresses, (uintptr_t)rule, &number)) {
        self->busy = 0;
        PyErr_SetString(PyExc_KeyError, "no such rule");
        return NULL;
    }
    Rule gone = self->rules[number];
    if (gone.before) {
        self->rules[gone.before].next = gone.next;
    } else {
        self->queries[gone.query].rules = gone.next;
    }
    if (gone.next) {
        self->rules[gone.next].before = gone.before;
    }
    map_drop(&self->rule_addresses, (uintptr_t)rule);
    self->rules[number] = (Rule){.next = self->free_rule};
    self->free_rule = number;
    self->live--;
    PyObject *left = Py_None;
    Py_INCREF(left);
    if (!self->queries[gone.query].rules) {
        uint32_t root = self->queries[gone.query].root;
        if (self->queries[gone.query].payload) {
            Py_DECREF(left);
            left = self->queries[gone.query].payload;
            Py_INCREF(left);
        }
        drop_query(self, gone.query);
        release_node(self, root);
    }
    self->busy = 0;
    drop_carried(&gone);
    Py_DECREF(gone.rule);
    Py_DECREF(gone.version);
    return left;
}

static Py_ssize_t engine_length(PyObject *object)
{
    return (Py_ssize_t)((Engine *)object)->live;
}

/* --- articles --- */

static int read_fields(Engine *self, PyObject *fields, Given *given)
{
    Module *module = PyType_GetModuleState(Py_TYPE((PyObject *)self));
    if (!module || PyTuple_Size(fields) != FIELDS) {
        PyErr_SetString(PyExc_ValueError, "an article has three fields");
        return -1;
    }
    for (int f = 0; f < FIELDS; f++) {
        PyObject *scanned;
        if (!PyArg_ParseTuple(PyTuple_GetItem(fields, f), "UUO!", &given->names[f], &given->texts[f],
                              module->scanned, &scanned)) {
            return -1;
        }
        self->fields[f] = (const Scanned *)scanned;
    }
    return 0;
}

static int decide(Engine *self)
{
    int let_go = self->bases[FIELDS] > WORTH_LETTING_GO_TOKENS || self->n_candidates > WORTH_LETTING_GO_CANDIDATES;
    if (let_go) {
        self->thread = PyEval_SaveThread();
    }
    int done = find_results(self);
    if (let_go) {
        PyEval_RestoreThread(self->thread);
        self->thread = NULL;
    }
    return done;
}

/* Fetch the queries, rules and objects that matches will soon be made of. */
static void look_ahead(const Engine *self, uint32_t at)
{
    enum { AHEAD = 6 };
    if (at + 3 * AHEAD < self->n_results) {
        const Result *soon = &self->results[at];
        const Rule *rule = &self->rules[self->queries[soon[AHEAD].query].rules];
        SOON(rule->carried[A_ID]);
        SOON(rule->carried[A_LABELS]);
        SOON(&self->rules[self->queries[soon[2 * AHEAD].query].rules]);
        SOON(&self->queries[soon[3 * AHEAD].query]);
    }
}

static PyObject *collect(Engine *self, const Given *given)
{
    PyObject *matches = PyList_New(0), *undecided = PyList_New(0), *both = NULL;
    int done = matches && undecided;
    for (uint32_t i = 0; done && i < self->n_results; i++) {
        look_ahead(self, i);
        done = matches_of(self, given, &self->results[i], matches) == 0;
    }
    for (uint32_t i = 0; done && i < self->n_candidates; i++) {
        PyObject *payload = self->queries[self->candidates[i]].payload, *rules = rules_of(self, self->candidates[i]);
        PyObject *query = rules ? PyTuple_Pack(2, payload ? payload : Py_None, rules) : NULL;
        done = query && PyList_Append(undecided, query) == 0;
        Py_XDECREF(rules);
        Py_XDECREF(query);
    }
    if (done) {
        both = PyTuple_Pack(2, matches, undecided);
    }
    Py_XDECREF(matches);
    Py_XDECREF(undecided);
    return both;
}

static PyObject *engine_match(PyObject *object, PyObject *args)
{
    Engine *self = (Engine *)object;
    PyObject *fields, *extras, *check, *found = NULL;
    Given given;
    if (!PyArg_ParseTuple(args, "OO!O!OO:match", &given.id, &PyTuple_Type, &fields, &PyTuple_Type, &extras, &given.now,
                          &check) ||
        enter(self) < 0) {
        return NULL;
    }
    self->check = check;
    if (read_fields(self, fields, &given) == 0 && check_time(self) == 0 && read_article(self, extras) == 0 &&
        find_candidates(self) == 0 && decide(self) == 0) {
        found = collect(self, &given);
    }
    drop_spans(self);
    self->check = NULL;
    self->busy = 0;
    if (!found) {
        failed();
    }
    return found;
}

/* --- life --- */

static int attributes(Engine *self)
{
    static const char *const names[] = {"id", "name", "severity", "labels", "expires_at"};
    for (int i = 0; i < ATTRIBUTES; i++) {
        self->attributes[i] = PyUnicode_InternFromString(names[i]);
        if (!self->attributes[i]) {
            return -1;
        }
    }
    return 0;
}

/* The first of each is none; the first feature is what every article has. */
static int reserve_none(Engine *self)
{
    if (RESERVE(self->words, self->room_words, 1) < 0 || RESERVE(self->features, self->room_features, 1) < 0 ||
        RESERVE(self->seen_features, self->room_seen_features, 1) < 0 ||
        RESERVE(self->patterns, self->room_patterns, 1) < 0 || RESERVE(self->nodes, self->room_nodes, 1) < 0 ||
        RESERVE(self->memos, self->room_memos, 1) < 0 || RESERVE(self->queries, self->room_queries, 1) < 0 ||
        RESERVE(self->rules, self->room_rules, 1) < 0) {
        return -1;
    }
    self->words[0] = (Word){0};
    self->features[0] = (Feature){.kind = FEATURE_OTHER, .asked = 1};
    memset(self->seen_features, 0, self->room_seen_features * sizeof *self->seen_features);
    self->patterns[0] = (Pattern){0};
    self->nodes[0] = (Node){0};
    self->memos[0] = (Memo){0};
    self->queries[0] = (Query){0};
    self->rules[0] = (Rule){0};
    self->n_words = self->n_features = self->n_patterns = self->n_nodes = self->n_memos = self->n_queries =
        self->n_rules = 1;
    return 0;
}

static int engine_init(PyObject *object, PyObject *args, PyObject *named)
{
    static const char *const span_fields[] = {"field", "start", "end", "text", "part", NULL};
    static const char *const match_fields[] = {"rule_id",  "article_id", "rule_version", "rule_name",
                                               "severity", "labels",     "score",        "spans",
                                               NULL};
    static char *names[] = {"span", "match", "asked", "forgotten", NULL};
    Engine *self = (Engine *)object;
    PyObject *span, *match, *asked, *forgotten;
    if (!PyArg_ParseTupleAndKeywords(args, named, "OOOO:Engine", names, &span, &match, &asked, &forgotten)) {
        return -1;
    }
    if (self->n_words) {
        PyErr_SetString(PyExc_TypeError, "an engine is made once");
        return -1;
    }
    self->words_by_text = PyDict_New();
    self->features_by_object = PyDict_New();
    if (!self->words_by_text || !self->features_by_object || reserve_none(self) < 0 || attributes(self) < 0 ||
        record_of(span, span_fields, &self->span) < 0 || record_of(match, match_fields, &self->match) < 0) {
        return failed();
    }
    Py_INCREF(asked);
    Py_INCREF(forgotten);
    self->asked = asked;
    self->forgotten = forgotten;
    return 0;
}

static void drop_record(Record *record)
{
    Py_CLEAR(record->type);
    for (int i = 0; i < MATCH_FIELDS; i++) {
        Py_CLEAR(record->fields[i]);
    }
}

static void drop_contents(Engine *self)
{
    for (uint32_t i = 1; i < self->n_rules; i++) {
        Py_XDECREF(self->rules[i].rule);
        Py_XDECREF(self->rules[i].version);
        drop_carried(&self->rules[i]);
    }
    for (uint32_t i = 1; i < self->n_queries; i++) {
        Py_XDECREF(self->queries[i].payload);
        free(self->queries[i].homes);
    }
    for (uint32_t i = 1; i < self->n_nodes; i++) {
        if (self->nodes[i].n_parts > 2) {
            free(self->nodes[i].parts.many);
        }
    }
    for (uint32_t i = 1; i < self->n_memos; i++) {
        free(self->memos[i].text);
        Py_XDECREF(self->memos[i].part);
    }
    for (uint32_t i = 0; i < self->n_features; i++) {
        Py_XDECREF(self->features[i].object);
        free(self->features[i].groups);
        free(self->features[i].members);
        free(self->features[i].postings);
    }
    for (uint32_t i = 1; i < self->n_patterns; i++) {
        Py_XDECREF(self->patterns[i].object);
        free(self->patterns[i].text);
    }
    for (uint32_t i = 1; i < self->n_words; i++) {
        Py_XDECREF(self->words[i].text);
        free(self->words[i].patterns);
    }
}

static void engine_dealloc(PyObject *object)
{
    Engine *self = (Engine *)object;
    PyTypeObject *type = Py_TYPE(object);
    drop_contents(self);
    Py_XDECREF(self->words_by_text);
    Py_XDECREF(self->features_by_object);
    Py_XDECREF(self->asked);
    Py_XDECREF(self->forgotten);
    drop_record(&self->span);
    drop_record(&self->match);
    for (int i = 0; i < ATTRIBUTES; i++) {
        Py_XDECREF(self->attributes[i]);
    }
    map_free(&self->pairs);
    map_free(&self->edges);
    map_free(&self->node_hashes);
    map_free(&self->rule_addresses);
    arena_free(&self->arena);
    void *arrays[] = {self->words,         self->features, self->patterns, self->nodes,  self->memos,
                      self->queries,       self->rules,    self->hits,     self->tokens, self->exacts,
                      self->seen_features, self->present,  self->places,   self->results, self->gathered,
                      self->candidates};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        free(arrays[i]);
    }
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMethodDef engine_methods[] = {
    {"add", engine_add, METH_VARARGS, "Let a rule with its version ask the query of a node."},
    {"remove", engine_remove, METH_O, "Let a rule ask no longer. Return what Python had to decide its query, if nobody asks that now."},
    {"match", engine_match, METH_VARARGS, "Return the matches of an article, and the queries that Python must decide."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot engine_slots[] = {
    {Py_tp_doc, "Every query at once."},
    {Py_tp_init, engine_init},
    {Py_tp_dealloc, engine_dealloc},
    {Py_tp_methods, engine_methods},
    {Py_sq_length, engine_length},
    {0, NULL},
};

/* Not seen by the garbage collector: rules and expressions are plain values that cannot refer back to an engine. */
PyType_Spec engine_spec = {
    .name = "monitor.core.native.Engine",
    .basicsize = sizeof(Engine),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = engine_slots,
};
