"""The models that these tests are made with, asked without a router between."""
import json
import os
import signal
import subprocess
import unittest

import harness
from harness import TEXT, UnixConnection, chat_body, write_model


@harness.needs_llama_server
class TinyModelTest(harness.E2ETest):
    def serve(self, model, *options):
        """A llama-server with the model, and a function that asks it."""
        path = self.home / 'llama-server.sock'
        log = open(self.home / 'log', 'wb')
        self.addCleanup(log.close)
        server = subprocess.Popen(
            [harness.LLAMA_SERVER, '-t', '1', '-m', model, '--host', path, *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(server.wait)
        self.addCleanup(os.kill, server.pid, signal.SIGKILL)

        def ask(method, target, body=None):
            connection = UnixConnection(path, 60)
            try:
                connection.request(method, target, body and json.dumps(body))
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()

        def healthy():
            try:
                return ask('GET', '/health')[0] == 200
            except OSError:
                return False

        harness.wait_for(healthy, 'llama-server to load the model')
        return lambda target, body: json.loads(ask('POST', target, body)[1])

    def test_says_its_text_and_stops_whatever_it_is_asked(self):
        ask = self.serve(write_model(self.home / 'x.gguf'))
        for prompt in ('', 'Hi', 'The quick brown fox', TEXT, 'ünïcode \u2603', 'fox ' * 100):
            body = chat_body('x', temperature=1.5)
            body['messages'][0]['content'] = prompt
            choice = ask('/v1/chat/completions', body)['choices'][0]
            self.assertEqual(choice['message']['content'], TEXT)
            self.assertEqual(choice['finish_reason'], 'stop')

    def test_says_texts_of_every_kind(self):
        for text in ('abc', 'I am', 'no no no no no', 'a b c d e', 'two\nlines  and  gaps ',
                     'Grüße, 世界! \u2603', 'word ' * 400 + 'end'):
            with self.subTest(text):
                ask = self.serve(write_model(self.home / 'x.gguf', text=text))
                answer = ask('/v1/completions', {'prompt': 'Say it:', 'max_tokens': 1000})
                self.assertEqual(answer['choices'][0]['text'], text)
                self.doCleanups()
                self.setUp()

    def test_a_looping_model_goes_on_until_it_is_told_to_stop(self):
        ask = self.serve(write_model(self.home / 'x.gguf', '--loop', text='tick tock'))
        choice = ask('/v1/completions', {'prompt': 'Say it:', 'max_tokens': 64})['choices'][0]
        self.assertTrue(choice['text'].startswith(' tick tock tick tock'), choice)
        self.assertEqual(choice['finish_reason'], 'length')

    def test_an_embedding_model_tells_texts_apart(self):
        ask = self.serve(write_model(self.home / 'x.gguf', '--embedding'),
                         '--embeddings', '--pooling', 'mean')
        rows = ask('/v1/embeddings', {'model': 'x', 'input': ['one', 'two', 'one']})['data']
        first, second, third = (row['embedding'] for row in rows)
        self.assertEqual(first, third)
        self.assertNotEqual(first, second)

    def test_a_big_model_takes_no_disk_space(self):
        path = write_model(self.home / 'x.gguf', '--layers', '8', '--dim', '1024', '--ffn', '4096')
        status = os.stat(path)
        self.assertGreater(status.st_size, 200 << 20)
        self.assertLess(status.st_blocks * 512, 16 << 20)


if __name__ == '__main__':
    harness.main()
