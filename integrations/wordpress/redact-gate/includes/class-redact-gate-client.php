<?php
/**
 * What the plugin asks of the service: judge this file, or make a covered one of it. No is the answer to
 * everything but a pass for exactly these bytes.
 *
 * A job that did not end in time is remembered for its file's digest, so that the next try takes it up.
 *
 * @package redact-gate
 */

/** Follows jobs of the service. */
final class Redact_Gate_Client {

	const MOST_WAIT = 30; // Seconds of one request; several are made.
	const SUFFIXES  = array(
		'image/jpeg' => 'jpg',
		'image/png'  => 'png',
		'image/webp' => 'webp',
		'image/tiff' => 'tif',
		'image/gif'  => 'gif',
		'image/heic' => 'heic',
		'image/avif' => 'avif',
		'image/bmp'  => 'bmp',
		'video/mp4'  => 'mp4',
	);

	/** @var Redact_Gate_Http */
	private $http;

	public function __construct( ?Redact_Gate_Http $http = null ) {
		$this->http = null === $http ? new Redact_Gate_Http() : $http;
	}

	/**
	 * Have a finished file judged; its digest if it passed.
	 *
	 * @throws Redact_Gate_Refusal It did not, or nobody knows.
	 */
	public function check( string $path ): string {
		return Redact_Gate_Refusal::wrap(
			function () use ( $path ): string {
				$digest = self::digest( $path );
				$end    = $this->job( 'check', $path, $digest );
				if ( 'passed' === $end['status'] && hash_equals( $digest, $end['sha256'] ) ) {
					return $digest;
				}
				throw new Redact_Gate_Refusal( self::words( $end['status'] ) );
			}
		);
	}

	/**
	 * Put the covered result in the place of an original.
	 *
	 * @return array{digest:string,type:string,suffix:string}
	 * @throws Redact_Gate_Refusal There is no published result; the file is as it was.
	 */
	public function replace( string $path ): array {
		return Redact_Gate_Refusal::wrap(
			function () use ( $path ): array {
				$end = $this->job( 'media', $path, self::digest( $path ) );
				if ( 'published' !== $end['status'] ) {
					throw new Redact_Gate_Refusal( self::words( $end['status'] ) );
				}
				return $this->fetch( $end, $path );
			}
		);
	}

	private static function digest( string $path ): string {
		$digest = is_file( $path ) && is_readable( $path ) ? hash_file( 'sha256', $path ) : false;
		if ( false === $digest ) {
			throw new Redact_Gate_Refusal( __( 'The file cannot be read, so it cannot be checked.', 'redact-gate' ) );
		}
		return $digest;
	}

	/** The end of the file's job: a new one, or one that was remembered. */
	private function job( string $kind, string $path, string $digest ): array {
		$until  = microtime( true ) + Redact_Gate_Settings::wait();
		$memory = 'redact_gate_job_' . substr( hash_hmac( 'sha256', $kind . $digest, wp_salt( 'auth' ) ), 0, 32 );
		$known  = get_transient( $memory );
		$job    = null;
		if ( is_string( $known ) && preg_match( '/\A[a-z2-9]{24}\z/', $known ) ) {
			$job = $this->ask( $known, $kind, $until );
		}
		if ( null === $job ) {
			$job = $this->send( $kind, $path, $until );
			set_transient( $memory, $job['job'], ( 'media' === $kind ? 30 : 1 ) * DAY_IN_SECONDS );
		}
		while ( 'settled' !== $job['state'] ) {
			if ( microtime( true ) >= $until ) {
				throw new Redact_Gate_Refusal( __( 'redact is still at work on this file. Upload the same file again in a few minutes; it goes on where it is.', 'redact-gate' ) );
			}
			$job = $this->ask( $job['job'], $kind, $until );
			if ( null === $job ) {
				break;
			}
		}
		// A verdict of a person may still come for media; everything else is asked anew the next time.
		if ( null === $job || 'media' !== $kind || 'failed' === $job['status'] ) {
			delete_transient( $memory );
		}
		if ( null === $job ) {
			throw new Redact_Gate_Refusal( self::odd() );
		}
		return $job;
	}

	private static function left( float $until ): int {
		return max( 0, min( self::MOST_WAIT, (int) ceil( $until - microtime( true ) ) ) );
	}

	private function send( string $kind, string $path, float $until ): array {
		$key    = bin2hex( random_bytes( 16 ) );
		$target = 'media' === $kind ? '/v1/jobs' : '/v1/checks';
		for ( $try = 0; $try < 2; $try++ ) {
			// The key makes it safe to ask again after an answer that got lost: it is one job.
			$answer = $this->http->post_file( $target . '?wait=' . self::left( $until ), self::left( $until ), $path, $key );
			if ( $answer->status > 0 ) {
				return self::job_of( $answer, 202, $kind, null );
			}
		}
		throw new Redact_Gate_Refusal( self::silent() );
	}

	/** The job as it is; null if the service knows it no more. */
	private function ask( string $job, string $kind, float $until ): ?array {
		$answer = $this->http->get( '/v1/jobs/' . $job . '?wait=' . self::left( $until ), self::left( $until ) );
		if ( 0 === $answer->status ) {
			throw new Redact_Gate_Refusal( self::silent() );
		}
		return 404 === $answer->status ? null : self::job_of( $answer, 200, $kind, $job );
	}

	/** An answer as a job, if it is one. */
	private static function job_of( Redact_Gate_Answer $answer, int $status, string $kind, ?string $job ): array {
		if ( $status !== $answer->status ) {
			throw new Redact_Gate_Refusal( self::refused( $answer->status ) );
		}
		$found = $answer->json();
		foreach ( array( 'job', 'kind', 'state', 'status', 'sha256' ) as $field ) {
			if ( null === $found || ! isset( $found[ $field ] ) || ! is_string( $found[ $field ] ) ) {
				throw new Redact_Gate_Refusal( self::odd() );
			}
		}
		if ( $kind !== $found['kind'] || ! preg_match( '/\A[a-z2-9]{24}\z/', $found['job'] ) || ( null !== $job && $job !== $found['job'] )
			|| ! in_array( $found['state'], array( 'queued', 'working', 'settled' ), true ) ) {
			throw new Redact_Gate_Refusal( self::odd() );
		}
		return $found;
	}

	/** Write the result over the original. */
	private function fetch( array $end, string $path ): array {
		$scratch = tempnam( dirname( $path ), 'redact' );
		$into    = false === $scratch ? false : fopen( $scratch, 'wb' );
		if ( false === $into ) {
			throw new Redact_Gate_Refusal( __( 'The result of redact cannot be stored; is the disk full?', 'redact-gate' ) );
		}
		try {
			// A result may be larger than its original; the bound on time is for the larger of usual sizes.
			$bytes  = max( 4 * (int) filesize( $path ), 1 << 26 );
			$answer = $this->http->get( '/v1/jobs/' . $end['job'] . '/result', self::MOST_WAIT, $into, $bytes );
			$whole  = fclose( $into );
			if ( 200 !== $answer->status ) {
				throw new Redact_Gate_Refusal( 0 === $answer->status ? self::silent() : self::refused( $answer->status ) );
			}
			$type   = isset( $answer->headers['content-type'] ) ? $answer->headers['content-type'] : '';
			$status = isset( $answer->headers['redact-status'] ) ? $answer->headers['redact-status'] : '';
			$digest = self::digest( $scratch );
			if ( ! $whole || 'published' !== $status || ! isset( self::SUFFIXES[ $type ] ) || ! hash_equals( $digest, $end['sha256'] ) ) {
				throw new Redact_Gate_Refusal( self::odd() );
			}
			if ( ! rename( $scratch, $path ) ) {
				throw new Redact_Gate_Refusal( __( 'The result of redact cannot be stored; is the disk full?', 'redact-gate' ) );
			}
			clearstatcache();
			return array(
				'digest' => $digest,
				'type'   => $type,
				'suffix' => self::SUFFIXES[ $type ],
			);
		} finally {
			if ( is_file( $scratch ) ) {
				unlink( $scratch );
			}
		}
	}

	private static function words( string $status ): string {
		switch ( $status ) {
			case 'review':
				return __( 'Refused: redact found something that a person must look at. Ask your review desk, then upload the finished file.', 'redact-gate' );
			case 'blocked':
				return __( 'Refused: redact found hidden data or a fault in the file. Run it through redact and upload the result.', 'redact-gate' );
			case 'rejected':
				return __( 'Refused: a reviewer decided that this file is not to be published.', 'redact-gate' );
			case 'failed':
				return __( 'Refused: redact cannot judge this file. Is it a photo or a film, and whole?', 'redact-gate' );
			default:
				return self::odd();
		}
	}

	private static function refused( int $status ): string {
		if ( 401 === $status || 403 === $status ) {
			return __( 'Refused: redact did not accept the token of this site; tell your administrator.', 'redact-gate' );
		}
		if ( 413 === $status ) {
			return __( 'Refused: the file is larger than redact accepts.', 'redact-gate' );
		}
		if ( 429 === $status || 503 === $status ) {
			return __( 'Refused: redact is busy or being restarted. Try again in a minute.', 'redact-gate' );
		}
		return self::odd();
	}

	private static function silent(): string {
		return __( 'Refused: redact did not answer, so the file is not checked. Try again; if it stays like this, tell your administrator.', 'redact-gate' );
	}

	private static function odd(): string {
		return __( 'Refused: redact gave an answer that is not understood, so the file is not checked. Tell your administrator.', 'redact-gate' );
	}
}
