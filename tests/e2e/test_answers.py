"""What a client gets: the model's own text, by every path, door and dialect."""
import json
import subprocess

import harness
from harness import TEXT, chat_body, chat_text, sse_events, write_model


@harness.needs_llama_server
class AnswersTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.router = self.daemon()
        write_model(self.router.models / 'fox.gguf', '--name', 'Fox')
        write_model(self.router.models / 'embed.gguf', '--embedding')
        write_model(self.router.models / 'judge.gguf', '--rerank')
        self.router.start()

    def post(self, path, body, **options):
        return self.router.request('POST', path, body, **options)

    def test_chat_by_both_doors_streamed_and_not(self):
        for via in ('tcp', 'socket'):
            for stream in (False, True):
                with self.subTest(via=via, stream=stream):
                    response = self.router.chat('fox', via=via, stream=stream)
                    self.assertEqual(response.status, 200, response)
                    self.assertEqual(chat_text(response), TEXT)
                    if stream:
                        self.assertEqual(sse_events(response.body.decode())[-1][1], '[DONE]')

    def test_curl_streams(self):
        host, port = self.router.tcp_address()
        run = subprocess.run(
            ['curl', '-sSN', '--fail-with-body', f'http://{host}:{port}/v1/chat/completions',
             '-H', 'Content-Type: application/json', '-d', json.dumps(chat_body('fox', True))],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
        said = ''.join(choice['delta'].get('content') or ''
                       for _, data in sse_events(run.stdout) if data != '[DONE]'
                       for choice in json.loads(data)['choices'])
        self.assertEqual(said, TEXT)

    def test_curl_through_the_control_socket(self):
        run = subprocess.run(
            ['curl', '-sS', '--fail-with-body', '--unix-socket', self.router.socket,
             'http://localhost/v1/chat/completions', '-H', 'Content-Type: application/json',
             '-d', json.dumps(chat_body('fox'))], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
        self.assertEqual(json.loads(run.stdout)['choices'][0]['message']['content'], TEXT)

    def test_headers_say_who_answered_and_how_long_it_waited(self):
        first = self.router.chat('fox').headers
        self.assertEqual(first['x-router-model'], 'fox')
        self.assertTrue(first['x-request-id'])
        self.assertGreater(int(first['x-router-load-ms']), 0)
        second = self.post('/v1/chat/completions', chat_body('FOX'),
                           headers={'X-Request-Id': 'mine-42'}).headers
        self.assertEqual(second['x-request-id'], 'mine-42')
        self.assertEqual(int(second['x-router-load-ms']), 0)
        self.assertIn('x-router-queue-ms', second)

    def test_completions(self):
        response = self.post('/v1/completions', {'model': 'fox', 'prompt': 'Once', 'max_tokens': 99})
        self.assertEqual(response.json()['choices'][0]['text'], TEXT)

    def test_responses(self):
        output = self.post('/v1/responses', {'model': 'fox', 'input': 'Hi'}).json()['output']
        said = [part['text'] for item in output for part in item.get('content', [])
                if part.get('type') == 'output_text']
        self.assertEqual(''.join(said), TEXT)

    def test_messages(self):
        body = {'model': 'fox', 'max_tokens': 99, 'messages': [{'role': 'user', 'content': 'Hi'}]}
        answer = self.post('/v1/messages', body).json()
        self.assertEqual(answer['type'], 'message', answer)
        self.assertEqual(answer['content'][0]['text'], TEXT)
        counted = self.post('/v1/messages/count_tokens', body).json()
        self.assertGreater(counted['input_tokens'], 0)

    def test_embeddings(self):
        body = {'model': 'embed', 'input': ['one', 'two', 'one']}
        answer = self.post('/v1/embeddings', body).json()
        first, second, third = (row['embedding'] for row in answer['data'])
        self.assertEqual(first, third)
        self.assertNotEqual(first, second)

    def test_rerank(self):
        documents = ['one', 'two and three', 'four']
        for path in ('/v1/rerank', '/v1/reranking', '/rerank'):
            body = {'model': 'judge', 'query': 'one', 'documents': documents}
            results = self.post(path, body).json()['results']
            self.assertEqual(sorted(row['index'] for row in results), [0, 1, 2])
            self.assertTrue(all(isinstance(row['relevance_score'], float) for row in results))

    def test_native_paths(self):
        tokens = self.post('/tokenize', {'model': 'fox', 'content': 'Hi'}).json()['tokens']
        self.assertEqual(len(tokens), 2)
        by_query = self.post('/tokenize?model=fox', {'content': 'Hi'}).json()['tokens']
        self.assertEqual(by_query, tokens)
        text = self.post('/detokenize', {'model': 'fox', 'tokens': tokens}).json()['content']
        self.assertEqual(text, 'Hi')
        answer = self.post('/completion', {'model': 'fox', 'prompt': 'Hi', 'n_predict': 99}).json()
        self.assertEqual(answer['content'], TEXT)
        applied = self.post('/apply-template', chat_body('fox')).json()['prompt']
        self.assertIn('<|assistant|>', applied)
        self.assertEqual(self.router.request('GET', '/props?model=fox').status, 200)
        self.assertEqual(len(self.router.request('GET', '/slots?model=fox').json()), 1)

    def test_the_raw_upstream(self):
        health = self.router.request('GET', '/upstream/fox/health')
        self.assertEqual((health.status, health.json()), (200, {'status': 'ok'}))

    def test_models(self):
        listed = self.router.request('GET', '/v1/models').json()
        self.assertEqual(listed['object'], 'list')
        self.assertEqual(sorted(row['id'] for row in listed['data']), ['embed', 'fox', 'judge'])
        fox = self.router.request('GET', '/v1/models/fox').json()
        self.assertEqual((fox['id'], fox['object']), ('fox', 'model'))
        for key in ('n_ctx_train', 'n_params', 'size', 'tier', 'thinking', 'status', 'aliases',
                    'capabilities'):
            self.assertIn(key, fox['meta'])

    def test_a_name_may_be_an_alias_or_the_default(self):
        self.assertEqual(self.router.ctl('alias', 'fox', 'reynard').returncode, 0)
        self.assertEqual(chat_text(self.router.chat('Reynard')), TEXT)
        self.assertEqual(self.router.ctl('switch', 'fox').returncode, 0)
        for name in ('', 'default'):
            self.assertEqual(chat_text(self.router.chat(name)), TEXT)

    def test_probes(self):
        for path in ('/livez', '/readyz'):
            for via in ('tcp', 'socket'):
                self.assertEqual(self.router.request('GET', path, via=via).status, 200)


if __name__ == '__main__':
    harness.main()
