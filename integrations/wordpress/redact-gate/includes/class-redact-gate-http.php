<?php
/**
 * Requests to the service, by PHP's curl: a film goes from the disk, not through memory, and no other plugin's
 * filter can turn off the check of certificates, add a proxy or let a redirect through.
 *
 * @package redact-gate
 */

/** One answer. */
final class Redact_Gate_Answer {

	/** HTTP status; 0: there was no answer.
	 *
	 * @var int */
	public $status = 0;

	/** Headers by lower-case name.
	 *
	 * @var array<string,string> */
	public $headers = array();

	/** The body, unless it went to a file.
	 *
	 * @var string */
	public $body = '';

	/** The body as an object of JSON; null if it is none. */
	public function json(): ?array {
		$found = json_decode( $this->body, true, 16 );
		return is_array( $found ) ? $found : null;
	}
}

/** Speaks to one service. */
final class Redact_Gate_Http {

	const CONNECT_S  = 10;
	const SPARE_S    = 15;
	const SLOWEST    = 65536; // Bytes a second that a transfer is expected to make.
	const MOST_BYTES = 65536; // Of an answer in JSON.

	/** GET; a body longer than an answer in JSON only into `$into`, an open file. */
	public function get( string $path, int $wait, $into = null, int $bytes = 0 ): Redact_Gate_Answer {
		return $this->send( $path, $wait, $bytes, array(), array(), $into );
	}

	/** POST a file under a name that is nobody's. */
	public function post_file( string $path, int $wait, string $file, string $key ): Redact_Gate_Answer {
		$options = array( CURLOPT_POSTFIELDS => array( 'file' => new CURLFile( $file, 'application/octet-stream', 'upload' ) ) );
		return $this->send( $path, $wait, (int) filesize( $file ), $options, array( 'Idempotency-Key: ' . $key ), null );
	}

	private function send( string $path, int $wait, int $bytes, array $options, array $headers, $into ): Redact_Gate_Answer {
		if ( ! function_exists( 'curl_init' ) ) {
			throw new Redact_Gate_Refusal( __( 'The redact gate needs the curl extension of PHP; tell your administrator.', 'redact-gate' ) );
		}
		$answer  = new Redact_Gate_Answer();
		$headers = array_merge( array( 'Authorization: Bearer ' . Redact_Gate_Settings::token(), 'Accept: application/json', 'Expect:' ), $headers );
		$handle  = curl_init();
		$common  = array(
			CURLOPT_URL             => Redact_Gate_Settings::address() . $path,
			CURLOPT_HTTPHEADER      => $headers,
			CURLOPT_USERAGENT       => 'redact-gate',
			CURLOPT_PROTOCOLS       => CURLPROTO_HTTP | CURLPROTO_HTTPS,
			CURLOPT_FOLLOWLOCATION  => false,
			CURLOPT_PROXY           => '',
			CURLOPT_SSL_VERIFYPEER  => true,
			CURLOPT_SSL_VERIFYHOST  => 2,
			CURLOPT_NOSIGNAL        => true,
			CURLOPT_CONNECTTIMEOUT  => self::CONNECT_S,
			CURLOPT_TIMEOUT         => $wait + self::SPARE_S + intdiv( $bytes, self::SLOWEST ),
			CURLOPT_LOW_SPEED_LIMIT => 1,
			CURLOPT_LOW_SPEED_TIME  => $wait + self::SPARE_S,
			CURLOPT_HEADERFUNCTION  => static function ( $handle, string $line ) use ( $answer ): int {
				$parts = explode( ':', $line, 2 );
				if ( 2 === count( $parts ) ) {
					$answer->headers[ strtolower( trim( $parts[0] ) ) ] = trim( $parts[1] );
				}
				return strlen( $line );
			},
			CURLOPT_WRITEFUNCTION   => static function ( $handle, string $data ) use ( $answer, $into ): int {
				if ( null !== $into && 200 === curl_getinfo( $handle, CURLINFO_RESPONSE_CODE ) ) {
					return (int) fwrite( $into, $data );
				}
				$answer->body .= $data;
				return strlen( $answer->body ) > self::MOST_BYTES ? 0 : strlen( $data );
			},
		);
		if ( '' !== Redact_Gate_Settings::ca_file() ) {
			$common[ CURLOPT_CAINFO ] = Redact_Gate_Settings::ca_file();
		}
		// An answer that broke off, or that was longer than one can be, is no answer.
		if ( curl_setopt_array( $handle, $common + $options ) && true === curl_exec( $handle ) ) {
			$answer->status = (int) curl_getinfo( $handle, CURLINFO_RESPONSE_CODE );
		}
		return $answer;
	}
}
