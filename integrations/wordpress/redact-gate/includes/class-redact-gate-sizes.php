<?php
/**
 * The files of an attachment, and which of them WordPress itself made from the one that is judged. Those need no
 * judgement of their own; a file of the same name that came another way, or from another source, does.
 *
 * Written down when they are made: their digests, signed with the site's own key together with the number of the
 * attachment and the digest of what they were made from. That is the original, or what a crop in the media library
 * made of it, which is judged too.
 *
 * @package redact-gate
 */

/** Knows the sizes of attachments. */
final class Redact_Gate_Sizes {

	const META = '_redact_gate_sizes';
	const KEPT = 4; // Sources of one attachment: it may be cropped, and restored.

	/** Digests of what WordPress's image editor wrote in this request, by path.
	 *
	 * @var array<string,string> */
	private static $written = array();

	/** What the media library's own editing saves in this request, by attachment.
	 *
	 * @var array<int,string> */
	private static $edited = array();

	/** Hook in, after every other plugin that may still change a file. */
	public static function register(): void {
		add_filter( 'image_make_intermediate_size', array( __CLASS__, 'written' ), PHP_INT_MAX );
		add_filter( 'wp_generate_attachment_metadata', array( __CLASS__, 'generated' ), PHP_INT_MAX, 3 );
		add_filter( 'wp_save_image_editor_file', array( __CLASS__, 'edited' ), PHP_INT_MAX, 5 );
		add_filter( 'wp_update_attachment_metadata', array( __CLASS__, 'updated' ), PHP_INT_MAX, 2 );
	}

	/** The image editor wrote a file. */
	public static function written( $file ) {
		$path   = is_string( $file ) ? realpath( $file ) : false;
		$digest = is_string( $path ) && is_file( $path ) ? hash_file( 'sha256', $path ) : false;
		if ( is_string( $digest ) ) {
			self::$written[ $path ] = $digest;
		}
		return $file;
	}

	/** All sizes of an attachment were made, or those that it lacked: write down what this request wrote of them. */
	public static function generated( $metadata, $attachment, $context = 'create' ) {
		return self::record( (int) $attachment, $metadata, '', 'update' === $context );
	}

	/** An attachment was cropped or turned, and this file is about to be written. */
	public static function edited( $saved, $file = '', $image = null, $type = '', $attachment = 0 ) {
		self::$edited[ (int) $attachment ] = (string) $file;
		return $saved;
	}

	/** Its sizes were made of that file. */
	public static function updated( $metadata, $attachment ) {
		$edited = isset( self::$edited[ (int) $attachment ] ) ? self::$edited[ (int) $attachment ] : '';
		return '' !== $edited && get_attached_file( (int) $attachment ) === $edited ? self::record( (int) $attachment, $metadata, $edited, false ) : $metadata;
	}

	/** The files of an attachment: first the one that the others are made from.
	 *
	 * @return array<int,string> */
	public static function files( int $attachment, $metadata = null ): array {
		$attached = (string) get_attached_file( $attachment );
		if ( '' === $attached ) {
			return array();
		}
		$metadata = null === $metadata ? wp_get_attachment_metadata( $attachment, true ) : $metadata;
		$metadata = is_array( $metadata ) ? $metadata : array();
		$folder   = dirname( $attached ) . '/';
		$files    = array( $attached );
		$original = isset( $metadata['original_image'] ) ? $metadata['original_image'] : '';
		if ( is_string( $original ) && '' !== $original && is_file( $folder . $original ) ) {
			array_unshift( $files, $folder . $original ); // A large photo: what is attached was made from it.
		}
		$listed = array( isset( $metadata['sizes'] ) ? $metadata['sizes'] : null, isset( $metadata['sources'] ) ? $metadata['sources'] : null );
		array_walk_recursive(
			$listed,
			static function ( $value, $key ) use ( &$files, $folder ): void {
				if ( 'file' === $key && is_string( $value ) && '' !== $value ) {
					$files[] = $folder . $value;
				}
			}
		);
		return array_values( array_unique( $files ) );
	}

	/** Digests of what WordPress made for the attachment from a file of this digest.
	 *
	 * @return array<int,string> */
	public static function made( int $attachment, string $source ): array {
		foreach ( explode( "\n", (string) get_post_meta( $attachment, self::META, true ) ) as $line ) {
			$parts = explode( ' ', $line );
			if ( 3 === count( $parts ) && hash_equals( $source, $parts[0] ) && hash_equals( self::seal( $attachment, $parts[0], $parts[1] ), $parts[2] ) ) {
				return explode( ',', $parts[1] );
			}
		}
		return array();
	}

	/** Write down what was made of a source ('': the first file), or nothing: what is not known is judged. */
	private static function record( int $attachment, $metadata, string $source, bool $more ) {
		try {
			$files  = self::files( $attachment, $metadata );
			$source = '' === $source ? (string) reset( $files ) : $source;
			$file   = is_array( $metadata ) && isset( $metadata['file'] ) ? '/' . $metadata['file'] : '';
			if ( '' === $file || substr( (string) get_attached_file( $attachment ), -strlen( $file ) ) !== $file || ! is_file( $source ) ) {
				return $metadata; // Made from something else than the attachment's file.
			}
			$digest = (string) hash_file( 'sha256', $source );
			$made   = $more ? self::made( $attachment, $digest ) : array();
			foreach ( array_diff( $files, array( $source ) ) as $path ) {
				$path = (string) realpath( $path );
				if ( isset( self::$written[ $path ] ) ) {
					$made[] = self::$written[ $path ];
				}
			}
			if ( array() !== $made ) {
				$list  = implode( ',', array_unique( $made ) );
				$lines = array( $digest . ' ' . $list . ' ' . self::seal( $attachment, $digest, $list ) );
				foreach ( explode( "\n", (string) get_post_meta( $attachment, self::META, true ) ) as $line ) {
					if ( '' !== $line && 0 !== strpos( $line, $digest . ' ' ) ) {
						$lines[] = $line;
					}
				}
				update_post_meta( $attachment, self::META, implode( "\n", array_slice( $lines, 0, self::KEPT ) ) );
			}
		} catch ( Throwable $fault ) {
			unset( $fault ); // An upload does not fail for it.
		}
		return $metadata;
	}

	private static function seal( int $attachment, string $source, string $list ): string {
		return hash_hmac( 'sha256', "redact-gate sizes $attachment $source $list", wp_salt( 'auth' ) );
	}
}
